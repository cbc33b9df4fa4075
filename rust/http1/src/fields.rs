//! The fields of a head: where they are in its bytes.

use std::ops::Range;

/// One field line: where its name and its value are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// The fields of a head or of trailers, in the order in which they came.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    places: &'a [Place],
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(bytes: &'a [u8], places: &'a [Place]) -> Self {
        Self { bytes, places }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Each name, as it was written, and its value, without the white space around it.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.places
            .iter()
            .map(move |place| (&bytes[place.name.clone()], &bytes[place.value.clone()]))
    }

    /// Where each name and each value is, in bytes from the beginning of the head, or of the trailers.
    pub fn places(&self) -> impl ExactSizeIterator<Item = (Range<usize>, Range<usize>)> + use<'a> {
        self.places
            .iter()
            .map(|place| (place.name.clone(), place.value.clone()))
    }

    /// The values of the fields called `name`, whatever its case.
    pub fn named<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.iter()
            .filter(move |(each, _)| each.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }
}

/// The members of a comma-separated list, without white space around them; empty ones are left out: RFC 9110, 5.6.1.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// Whether a byte may be in a token: RFC 9110, 5.6.2.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether `bytes` are a token.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// Whether `bytes` may be a field's value: no control character but the tabulator.  RFC 9110, 5.5.
pub(crate) fn is_value(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f))
}
