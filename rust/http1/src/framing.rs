//! What the fields of a head say about the body and the connection: RFC 9112, 6 and 9.

use crate::error::Error;
use crate::fields::{Fields, members};

/// The version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, the last of which is empty.
    Chunked,
    /// Whatever comes until the connection is closed; responses only.
    UntilClose,
}

/// What a head says beside its body's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wishes {
    /// `Connection: close`.
    pub close: bool,
    /// `Connection: keep-alive`.
    pub keep_alive: bool,
    /// `Connection: upgrade`, and an Upgrade field.
    pub upgrade: bool,
    /// `Expect: 100-continue`, in HTTP/1.1.
    pub expects_continue: bool,
}

/// The fields that matter to the framing, gathered in one look at all of them.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    length: Option<u64>,
    transfer_encoding: bool,
    chunked_last: bool,
    other_coding: bool,
    hosts: usize,
    host_is_bad: bool,
    upgrade_field: bool,
    upgrade_option: bool,
    pub(crate) wishes: Wishes,
}

impl Gathered {
    pub(crate) fn from(fields: Fields<'_>) -> Result<Self, Error> {
        let mut found = Self::default();
        for (name, value) in fields.iter() {
            // The length tells nearly all other names apart; most fields are not looked at again.
            match name.len() {
                4 if name.eq_ignore_ascii_case(b"host") => found.host(value),
                6 if name.eq_ignore_ascii_case(b"expect") => {
                    found.wishes.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
                }
                7 if name.eq_ignore_ascii_case(b"upgrade") => found.upgrade_field = true,
                10 if name.eq_ignore_ascii_case(b"connection") => found.connection(value),
                14 if name.eq_ignore_ascii_case(b"content-length") => found.length(value)?,
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => found.encoding(value),
                _ => {}
            }
        }
        found.wishes.upgrade = found.upgrade_field && found.upgrade_option;
        Ok(found)
    }

    fn host(&mut self, value: &[u8]) {
        self.hosts += 1;
        // uri-host [":" port]: what cannot be in one is what could be read as the end of it.
        self.host_is_bad |= value.iter().any(|byte| {
            !byte.is_ascii_graphic() || matches!(byte, b'/' | b'?' | b'#' | b'@' | b'\\' | b',')
        });
    }

    fn connection(&mut self, value: &[u8]) {
        for option in members(value) {
            self.wishes.close |= option.eq_ignore_ascii_case(b"close");
            self.wishes.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Error> {
        if self.length.is_some() || value.is_empty() {
            return Err(Error::ContentLength);
        }
        let mut length: u64 = 0;
        for byte in value {
            if !byte.is_ascii_digit() {
                return Err(Error::ContentLength);
            }
            length = length
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
                .ok_or(Error::ContentLength)?;
        }
        self.length = Some(length);
        Ok(())
    }

    fn encoding(&mut self, value: &[u8]) {
        self.transfer_encoding = true;
        // What is not a list of one `chunked` is some other coding, an empty list included.
        let before = self.chunked_last;
        self.chunked_last = false;
        for (number, coding) in members(value).enumerate() {
            self.other_coding |= before || number > 0 || !coding.eq_ignore_ascii_case(b"chunked");
            self.chunked_last = coding.eq_ignore_ascii_case(b"chunked");
        }
    }

    /// How long a request's body is.
    pub(crate) fn request_body(&self, version: Version) -> Result<Body, Error> {
        if self.hosts > 1 || self.host_is_bad || (self.hosts == 0 && version == Version::Http11) {
            return Err(Error::Host);
        }
        match (self.transfer_encoding, self.length) {
            (true, Some(_)) => Err(Error::ContentLength),
            (true, None) if version == Version::Http10 || !self.chunked_last => {
                Err(Error::TransferEncoding)
            }
            (true, None) if self.other_coding => Err(Error::Coding),
            (true, None) => Ok(Body::Chunked),
            (false, Some(0)) | (false, None) => Ok(Body::None),
            (false, Some(length)) => Ok(Body::Length(length)),
        }
    }

    /// How long a response's body is, if it has one at all.
    pub(crate) fn response_body(&self, version: Version) -> Result<Body, Error> {
        match (self.transfer_encoding, self.length) {
            (true, Some(_)) => Err(Error::ContentLength),
            (true, None) if version == Version::Http10 => Err(Error::TransferEncoding),
            (true, None) if self.other_coding => Err(Error::Coding),
            (true, None) if self.chunked_last => Ok(Body::Chunked),
            (true, None) => Err(Error::TransferEncoding),
            (false, Some(0)) => Ok(Body::None),
            (false, Some(length)) => Ok(Body::Length(length)),
            (false, None) => Ok(Body::UntilClose),
        }
    }

    /// Whether the fields that are to be sent agree with each other, and what they say; None if they say nothing.
    pub(crate) const fn sent(&self) -> Result<Option<Body>, Error> {
        match (self.transfer_encoding, self.length) {
            (true, Some(_)) => Err(Error::ContentLength),
            (true, None) if self.chunked_last && !self.other_coding => Ok(Some(Body::Chunked)),
            (true, None) => Err(Error::TransferEncoding),
            (false, Some(length)) => Ok(Some(Body::Length(length))),
            (false, None) => Ok(None),
        }
    }
}

impl Wishes {
    /// Whether the connection goes on after the message: RFC 9112, 9.3.
    #[must_use]
    pub const fn persistent(self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep_alive && !self.close,
        }
    }
}
