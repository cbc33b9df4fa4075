//! What can be wrong with a message, as plain data.

use std::fmt;

/// Why a message that came in cannot be read.  The connection is of no use from then on: where the next message begins is
/// not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The request line is none: RFC 9112, 3.
    RequestLine,
    /// The status line is none: RFC 9112, 4.
    StatusLine,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    Version,
    /// A line ends with a line feed alone, or a carriage return stands alone: RFC 9112, 2.2.
    BareLineEnd,
    /// A field line is none, is folded, or has a space before its colon: RFC 9112, 5.
    Field,
    /// The request line is longer than the limit.
    LongRequestLine,
    /// The head, or the trailers, are longer than the limit, or have more fields.
    LargeHead,
    /// HTTP/1.1 without a Host field, or more than one, or one that is no host: RFC 9112, 3.2.
    Host,
    /// Content-Length is no number, is there more than once, or stands beside Transfer-Encoding: RFC 9112, 6.3.
    ContentLength,
    /// Transfer-Encoding does not end in chunked, or is there in HTTP/1.0: RFC 9112, 6.1.
    TransferEncoding,
    /// A transfer coding other than chunked.
    Coding,
    /// A chunk's size is no number, or what follows a chunk is no line end: RFC 9112, 7.1.
    Chunk,
    /// The extensions of chunks take more than the limit.
    ChunkExtensions,
    /// The peer stopped in the middle of a message.
    Incomplete,
    /// A response that nobody asked for.
    Unasked,
}

impl Error {
    /// Returns the status code with which a server refuses such a request: RFC 9110, 15.5 and 15.6; RFC 6585, 5.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::LongRequestLine => 414,
            Self::LargeHead => 431,
            Self::Coding => 501,
            Self::Version => 505,
            _ => 400,
        }
    }

    /// Returns what is wrong, in a few words for the peer's user and the log.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::RequestLine => "the request line is none",
            Self::StatusLine => "the status line is none",
            Self::Version => "the version is neither HTTP/1.0 nor HTTP/1.1",
            Self::BareLineEnd => "a line does not end with CR LF",
            Self::Field => "a field line is none, is folded, or has a space before its colon",
            Self::LongRequestLine => "the request line is longer than allowed",
            Self::LargeHead => "the head is longer, or has more fields, than allowed",
            Self::Host => "there is not exactly one valid Host field",
            Self::ContentLength => {
                "Content-Length is no single number, or stands beside Transfer-Encoding"
            }
            Self::TransferEncoding => {
                "Transfer-Encoding does not end in chunked, or is there in HTTP/1.0"
            }
            Self::Coding => "a transfer coding is unknown",
            Self::Chunk => "a chunk is none",
            Self::ChunkExtensions => "the extensions of chunks are longer than allowed",
            Self::Incomplete => "the peer stopped in the middle of a message",
            Self::Unasked => "a response came that nobody asked for",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl std::error::Error for Error {}

/// Why a message cannot be sent: it would be read as something else than was meant.  Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// A method that is no token: RFC 9110, 9.1.
    Method,
    /// A target that is empty or has a space or a control character.
    Target,
    /// A status code that has not three digits, 100 to 999.
    Status,
    /// A reason phrase with a control character.
    Reason,
    /// A field name that is no token: RFC 9110, 5.1.
    FieldName,
    /// A field value with a line end or another control character: RFC 9110, 5.5.
    FieldValue,
    /// Fields that contradict each other about the body: RFC 9112, 6.
    Framing,
    /// More data than Content-Length says.
    TooMuch,
    /// Less data than Content-Length says.
    TooLittle,
    /// Not now: a body without a head, say, or a second head.
    OutOfTurn,
}

impl Refused {
    /// Returns what is wrong, and what to do about it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Method => "the method is no token: letters, digits and !#$%&'*+-.^_`|~",
            Self::Target => "the target is empty, or has a space or a control character: quote it",
            Self::Status => "the status code has not three digits, 100 to 999",
            Self::Reason => "the reason phrase has a control character",
            Self::FieldName => "the field's name is no token: letters, digits and !#$%&'*+-.^_`|~",
            Self::FieldValue => "the field's value has a line end or another control character",
            Self::Framing => "the fields contradict each other about the body's length",
            Self::TooMuch => "there is more data than Content-Length says",
            Self::TooLittle => "there is less data than Content-Length says",
            Self::OutOfTurn => "it is not the turn of that",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl std::error::Error for Refused {}
