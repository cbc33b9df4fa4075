//! Where a head ends: the search for an empty line, which is taken up again where it stopped when more bytes come.

use crate::error::Error;
use crate::limits::Limits;

/// The search for the end of a head, or of trailers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Search {
    /// Where to look on.
    looked: usize,
    /// Where the line begins that is being looked at.
    line: usize,
}

impl Search {
    /// Looks for the end of the head that `input` begins with; its length with the empty line, or None if it goes on.
    ///
    /// The first line may be as long as `limits.line`, everything as long as `limits.head`; what is longer is refused as
    /// soon as that is certain, so that a peer cannot have more than that kept.
    pub(crate) fn head(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
        let line = limits.line.min(limits.head);
        while let Some(found) = memchr::memchr(b'\n', &input[self.looked..]) {
            let end = self.looked + found;
            if self.line == 0 && end >= line {
                return Err(Error::LongRequestLine);
            }
            if end >= limits.head {
                return Err(Error::LargeHead);
            }
            if end == self.line || input[end - 1] != b'\r' {
                return Err(Error::BareLineEnd);
            }
            let empty = end - 1 == self.line;
            (self.looked, self.line) = (end + 1, end + 1);
            if empty {
                *self = Self::default();
                return Ok(Some(end + 1));
            }
        }
        self.looked = input.len();
        if self.line == 0 && input.len() > line {
            return Err(Error::LongRequestLine);
        }
        if input.len() > limits.head {
            return Err(Error::LargeHead);
        }
        Ok(None)
    }
}
