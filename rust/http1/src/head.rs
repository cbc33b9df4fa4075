//! One head, once it is there as a whole: `httparse` reads it, and what that lets pass is refused here.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::error::Error;
use crate::fields::{Fields, Place};
use crate::framing::{Body, Gathered, Version, Wishes};
use crate::limits::Limits;

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, as it was written: methods are case-sensitive.
    pub method: &'a [u8],
    /// The target, as it was written: an absolute path mostly, but see RFC 9112, 3.2.
    pub target: &'a [u8],
    /// The version.
    pub version: Version,
    /// The fields.
    pub fields: Fields<'a>,
    /// How long the body is.
    pub body: Body,
    /// What the fields ask for.
    pub wishes: Wishes,
}

/// The head of a response.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The reason phrase, often empty.
    pub reason: &'a [u8],
    /// The version.
    pub version: Version,
    /// The fields.
    pub fields: Fields<'a>,
    /// How long the body is.
    pub body: Body,
    /// What the fields ask for.
    pub wishes: Wishes,
}

/// Where `part` is in `whole`, which it was taken from.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

fn keep(bytes: &[u8], headers: &[httparse::Header<'_>], places: &mut Vec<Place>) {
    places.clear();
    places.extend(headers.iter().map(|header| Place {
        name: place(bytes, header.name.as_bytes()),
        value: place(bytes, header.value),
    }));
}

fn version(number: Option<u8>) -> Result<Version, Error> {
    match number {
        Some(1) => Ok(Version::Http11),
        Some(0) => Ok(Version::Http10),
        _ => Err(Error::Version),
    }
}

/// What `httparse` refused in `bytes`, whose lines all end with CR LF.
fn refused(error: httparse::Error, bytes: &[u8], first_line: Error) -> Error {
    match error {
        _ if has_bare_return(bytes) => Error::BareLineEnd,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Error::Field,
        httparse::Error::TooManyHeaders => Error::LargeHead,
        httparse::Error::Version if names_a_version(bytes) => Error::Version,
        httparse::Error::Version
        | httparse::Error::NewLine
        | httparse::Error::Status
        | httparse::Error::Token => first_line,
    }
}

/// Whether the first line has `HTTP/` and two numbers at its place: before a status, or as a request's third word.
fn names_a_version(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let words: Vec<&[u8]> = line.splitn(4, |byte| *byte == b' ').collect();
    let word = match words[..] {
        [_, _, word] if !words[0].starts_with(b"HTTP/") => word,
        [word, ..] => word,
        [] => return false,
    };
    matches!(word.strip_prefix(b"HTTP/"), Some([major, rest @ ..])
        if major.is_ascii_digit() && matches!(rest, [] | [b'.', b'0'..=b'9']))
}

fn has_bare_return(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).any(|place| bytes.get(place + 1) != Some(&b'\n'))
}

/// Reads a request's head, which `bytes` are from the first to the last.
pub(crate) fn request<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    places: &'a mut Vec<Place>,
) -> Result<Request<'a>, Error> {
    let mut room = [const { MaybeUninit::uninit() }; Limits::MOST_FIELDS];
    let room = &mut room[..limits.fields.min(Limits::MOST_FIELDS)];
    let mut head = httparse::Request::new(&mut []);
    head.parse_with_uninit_headers(bytes, room)
        .map_err(|error| refused(error, bytes, Error::RequestLine))?;
    let (Some(method), Some(target)) = (head.method, head.path) else {
        return Err(Error::RequestLine);
    };
    let version = version(head.version)?;
    keep(bytes, head.headers, places);
    let fields = Fields::new(bytes, places);
    let gathered = Gathered::from(fields)?;
    let mut wishes = gathered.wishes;
    if version == Version::Http10 {
        // Both are of HTTP/1.1: RFC 9110, 7.8 and 10.1.1.
        (wishes.upgrade, wishes.expects_continue) = (false, false);
    }
    Ok(Request {
        method: method.as_bytes(),
        target: target.as_bytes(),
        version,
        fields,
        body: gathered.request_body(version)?,
        wishes,
    })
}

/// Reads a response's head, which `bytes` are from the first to the last.  Its body is what the fields say, which does not
/// hold for each request and status.
pub(crate) fn response<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    places: &'a mut Vec<Place>,
) -> Result<Response<'a>, Error> {
    let mut room = [const { MaybeUninit::uninit() }; Limits::MOST_FIELDS];
    let room = &mut room[..limits.fields.min(Limits::MOST_FIELDS)];
    let mut head = httparse::Response::new(&mut []);
    httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut head, bytes, room)
        .map_err(|error| refused(error, bytes, Error::StatusLine))?;
    let Some(status @ 100..=999) = head.code else {
        return Err(Error::StatusLine);
    };
    let version = version(head.version)?;
    // `httparse` gives an empty reason where one has bytes beyond ASCII; they are opaque, and nobody should read them.
    let reason = head.reason.unwrap_or_default().as_bytes();
    keep(bytes, head.headers, places);
    let fields = Fields::new(bytes, places);
    let gathered = Gathered::from(fields)?;
    Ok(Response {
        status,
        reason,
        version,
        fields,
        body: gathered.response_body(version)?,
        wishes: gathered.wishes,
    })
}

/// Reads trailers, which `bytes` are from the first field to the empty line.
pub(crate) fn trailers<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    places: &'a mut Vec<Place>,
) -> Result<Fields<'a>, Error> {
    let mut room = [httparse::EMPTY_HEADER; Limits::MOST_FIELDS];
    let room = &mut room[..limits.fields.min(Limits::MOST_FIELDS)];
    match httparse::parse_headers(bytes, room) {
        Ok(httparse::Status::Complete((_, headers))) => keep(bytes, headers, places),
        Ok(httparse::Status::Partial) => return Err(Error::Field),
        Err(error) => return Err(refused(error, bytes, Error::Field)),
    }
    Ok(Fields::new(bytes, places))
}
