//! Bytes out of messages: what is written cannot be read as something else than was meant.

use crate::error::Refused;
use crate::fields::{Fields, Place, is_token, is_value};
use crate::framing::{Body, Gathered, Version};

/// What a writer may be told next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Head,
    /// So many bytes are to come.
    Length(u64),
    Chunks,
    UntilClose,
    /// A body that is not sent: the response to a HEAD.
    Unsent,
}

/// Writes the messages of one connection, in one direction.
#[derive(Debug)]
pub struct Writer {
    part: Part,
    places: Vec<Place>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// Makes a writer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            part: Part::Head,
            places: Vec::new(),
        }
    }

    /// Whether a message was begun and not ended.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.part != Part::Head
    }

    /// Whether the message under way ends with the connection.
    #[must_use]
    pub fn until_close(&self) -> bool {
        self.part == Part::UntilClose
    }

    /// Appends a request's head to `out`.  Without Content-Length or Transfer-Encoding among its fields it has no body.
    ///
    /// # Errors
    ///
    /// If it cannot be sent; `out` is what it was.
    pub fn request<'a>(
        &mut self,
        out: &mut Vec<u8>,
        method: &[u8],
        target: &[u8],
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Body, Refused> {
        if self.busy() {
            return Err(Refused::OutOfTurn);
        }
        if !is_token(method) {
            return Err(Refused::Method);
        }
        if target.is_empty() || target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
            return Err(Refused::Target);
        }
        let start = out.len();
        for part in [method, b" ", target, b" HTTP/1.1\r\n"] {
            out.extend_from_slice(part);
        }
        let body = match self.fields(out, start, fields) {
            Ok(body) => body.unwrap_or(Body::None),
            Err(refused) => {
                out.truncate(start);
                return Err(refused);
            }
        };
        out.extend_from_slice(b"\r\n");
        self.part = Part::of(body);
        Ok(body)
    }

    /// Appends a response's head to `out`, and says how its body will be framed.
    ///
    /// A body whose length the fields do not say comes in chunks where the peer knows them, else until the connection is
    /// closed; a Transfer-Encoding field is added where it is needed.  A response to HEAD, and one with a status that allows
    /// none, has no body, whatever the fields say.
    ///
    /// # Errors
    ///
    /// If it cannot be sent; `out` is what it was.
    pub fn response<'a>(
        &mut self,
        out: &mut Vec<u8>,
        peer: Version,
        to_head: bool,
        status: u16,
        reason: &[u8],
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Body, Refused> {
        if self.busy() {
            return Err(Refused::OutOfTurn);
        }
        if !(100..=999).contains(&status) {
            return Err(Refused::Status);
        }
        if !is_value(reason) {
            return Err(Refused::Reason);
        }
        let start = out.len();
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend(
            [status / 100, status / 10 % 10, status % 10]
                .map(|digit| b'0' + u8::try_from(digit).unwrap_or(0)),
        );
        for part in [b" ", reason, b"\r\n"] {
            out.extend_from_slice(part);
        }
        let framed = self
            .fields(out, start, fields)
            .and_then(|said| framing(out, peer, status, said));
        let body = match framed {
            Ok(body) => body,
            Err(refused) => {
                out.truncate(start);
                return Err(refused);
            }
        };
        out.extend_from_slice(b"\r\n");
        if (100..200).contains(&status) && status != 101 {
            return Ok(Body::None); // the response itself is still to come
        }
        self.part = if to_head || is_bodiless(status) {
            Part::Unsent
        } else {
            Part::of(body)
        };
        Ok(if self.part == Part::Unsent {
            Body::None
        } else {
            body
        })
    }

    /// Appends field lines, and returns what they say about the body.
    fn fields<'a>(
        &mut self,
        out: &mut Vec<u8>,
        start: usize,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Option<Body>, Refused> {
        self.places.clear();
        for (name, value) in fields {
            if !is_token(name) {
                return Err(Refused::FieldName);
            }
            if !is_value(value) {
                return Err(Refused::FieldValue);
            }
            let begin = out.len() - start;
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            self.places.push(Place {
                name: begin..begin + name.len(),
                value: begin + name.len() + 2..out.len() - start,
            });
            out.extend_from_slice(b"\r\n");
        }
        let fields = Fields::new(&out[start..], &self.places);
        Gathered::from(fields)
            .and_then(|found| found.sent())
            .map_err(|_| Refused::Framing)
    }

    /// Appends what comes before `length` bytes of the body; the caller sends them as they are, and then what
    /// [`Writer::after_data`] gives.
    ///
    /// # Errors
    ///
    /// If no head was written, or the fields said that there is less; `out` is what it was.
    pub fn before_data(&mut self, out: &mut Vec<u8>, length: usize) -> Result<bool, Refused> {
        match self.part {
            Part::Head => Err(Refused::OutOfTurn),
            Part::Unsent => Ok(false),
            Part::Length(left) => {
                let left = left.checked_sub(length as u64).ok_or(Refused::TooMuch)?;
                self.part = Part::Length(left);
                Ok(length > 0)
            }
            Part::UntilClose => Ok(length > 0),
            // A chunk of nothing would be the last one.
            Part::Chunks if length == 0 => Ok(false),
            Part::Chunks => {
                hexadecimal(out, length);
                out.extend_from_slice(b"\r\n");
                Ok(true)
            }
        }
    }

    /// What comes after data.
    #[must_use]
    pub fn after_data(&self) -> &'static [u8] {
        if self.part == Part::Chunks {
            b"\r\n"
        } else {
            b""
        }
    }

    /// Appends a part of the body, with what its framing needs.
    ///
    /// # Errors
    ///
    /// As [`Writer::before_data`].
    pub fn data(&mut self, out: &mut Vec<u8>, data: &[u8]) -> Result<(), Refused> {
        if self.before_data(out, data.len())? {
            out.extend_from_slice(data);
            out.extend_from_slice(self.after_data());
        }
        Ok(())
    }

    /// Ends the message: appends what its framing needs, and trailers where it has room for them.
    ///
    /// # Errors
    ///
    /// If there is no message, if less was written than its fields said, or if trailers cannot be sent: they are fields, but
    /// none about the body, and bodies of a known length have none.  `out` is what it was.
    pub fn end<'a>(
        &mut self,
        out: &mut Vec<u8>,
        trailers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), Refused> {
        let start = out.len();
        match self.part {
            Part::Head => return Err(Refused::OutOfTurn),
            Part::Length(left) if left > 0 => return Err(Refused::TooLittle),
            Part::Chunks => {
                out.extend_from_slice(b"0\r\n");
                let begin = out.len();
                match self.fields(out, begin, trailers) {
                    Ok(None) => {}
                    Ok(Some(_)) => {
                        out.truncate(start);
                        return Err(Refused::Framing);
                    }
                    Err(refused) => {
                        out.truncate(start);
                        return Err(refused);
                    }
                }
                out.extend_from_slice(b"\r\n");
            }
            Part::Length(_) | Part::UntilClose | Part::Unsent => {
                if trailers.into_iter().next().is_some() && self.part != Part::Unsent {
                    return Err(Refused::Framing);
                }
            }
        }
        self.part = Part::Head;
        Ok(())
    }
}

/// Whether responses of this status have no body, whatever their fields say: RFC 9110, 6.4.1.
const fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..200 | 204 | 304)
}

/// Says which body a response has whose fields say `said`, and appends the field that lacks.
fn framing(
    out: &mut Vec<u8>,
    peer: Version,
    status: u16,
    said: Option<Body>,
) -> Result<Body, Refused> {
    match said {
        // RFC 9112, 6.1: a server must not send Transfer-Encoding there, and RFC 9110, 8.6: nor Content-Length.
        Some(Body::Chunked | Body::Length(_)) if matches!(status, 100..200 | 204) => {
            Err(Refused::Framing)
        }
        Some(Body::Chunked) if peer == Version::Http10 => Err(Refused::Framing),
        Some(said) => Ok(said),
        None if is_bodiless(status) => Ok(Body::None),
        None if peer == Version::Http10 => Ok(Body::UntilClose),
        None => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            Ok(Body::Chunked)
        }
    }
}

impl Part {
    const fn of(body: Body) -> Self {
        match body {
            Body::None => Self::Length(0),
            Body::Length(length) => Self::Length(length),
            Body::Chunked => Self::Chunks,
            Body::UntilClose => Self::UntilClose,
        }
    }
}

/// Appends `number` in hexadecimal digits, without leading zeros.
fn hexadecimal(out: &mut Vec<u8>, number: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let places = (usize::BITS - number.leading_zeros()).div_ceil(4).max(1);
    out.extend(
        (0..places)
            .rev()
            .map(|place| DIGITS[number >> (4 * place) & 15]),
    );
}
