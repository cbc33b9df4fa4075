//! Messages out of bytes: heads, data, ends.
//!
//! A [`Reader`] keeps no bytes.  It is given all that came and was not taken yet, says what it begins with and how many bytes
//! that takes; the caller keeps what is left, which is never more than [`Limits::head`] and what it read at once.

use crate::chunked::{Chunks, Piece};
use crate::error::Error;
use crate::fields::{Fields, Place, is_token_byte};
use crate::framing::Body;
use crate::head::{self, Request, Response};
use crate::limits::Limits;
use crate::lines::Search;

/// How many empty lines may stand before a request: RFC 9112, 2.2 asks for one at least, since there were clients that sent
/// one after each body; more are no client's, and would let a peer be read from for ever without a request.
const EMPTY_LINES: u8 = 4;

/// What came.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The head of a request.
    Request(Request<'a>),
    /// The head of a response; with a status below 200 another one follows, but for 101.
    Response(Response<'a>),
    /// A part of the body.
    Data(&'a [u8]),
    /// The end of the message, with its trailers.
    End(Fields<'a>),
}

/// What a reader made of its input.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// So many bytes are done with.
    pub taken: usize,
    /// What they were; None if more is needed, or nothing more will be read.
    pub event: Option<Event<'a>>,
}

/// What a reader waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The head of a message.
    Head,
    /// The rest of a message's body.
    Body,
    /// A decision: the message asked for another protocol, so what follows may be none of HTTP.
    Switch,
    /// Nothing: the connection ends after the message that came last.
    Closed,
    /// Nothing: what came could not be read.
    Failed(Error),
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Head(Search),
    Length(u64),
    Chunks(Chunks),
    Trailers(Search),
    UntilClose,
    /// The end of a message is to be told.
    End,
    Switch,
    Closed,
    Failed(Error),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

/// What a response is the answer to, as far as its body depends on it: RFC 9112, 6.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// HEAD: there is no body, whatever the fields say.
    pub head: bool,
    /// CONNECT: there is none after a success, and what follows is no HTTP.
    pub connect: bool,
}

impl Part {
    const fn body(body: Body) -> Self {
        match body {
            Body::None => Self::End,
            Body::Length(length) => Self::Length(length),
            Body::Chunked => Self::Chunks(Chunks::NEW),
            Body::UntilClose => Self::UntilClose,
        }
    }
}

impl<'a> Step<'a> {
    const fn nothing(taken: usize) -> Self {
        Self { taken, event: None }
    }

    const fn event(taken: usize, event: Event<'a>) -> Self {
        Self {
            taken,
            event: Some(event),
        }
    }

    fn data(input: &'a [u8], framing: usize, length: usize) -> Self {
        if length == 0 {
            return Self::nothing(framing);
        }
        Self::event(
            framing + length,
            Event::Data(&input[framing..framing + length]),
        )
    }

    const fn after(self, framing: usize) -> Self {
        Self {
            taken: self.taken + framing,
            ..self
        }
    }
}

/// Ends reading for good, and says why.
const fn fail(part: &mut Part, error: Error) -> Error {
    *part = Part::Failed(error);
    error
}

/// What follows the end of a message.
fn after(switches: bool, persistent: bool) -> Part {
    match (switches, persistent) {
        (true, _) => Part::Switch,
        (false, true) => Part::Head(Search::default()),
        (false, false) => Part::Closed,
    }
}

/// Reads the messages of one connection, in one direction.
#[derive(Debug)]
pub struct Reader {
    role: Role,
    part: Part,
    limits: Limits,
    places: Vec<Place>,
    empty_lines: u8,
    /// Whether another message may follow this one.
    persistent: bool,
    /// Whether something else than HTTP may follow this one.
    switches: bool,
    asked: Option<Asked>,
}

impl Reader {
    /// Makes a reader of requests.
    #[must_use]
    pub fn server(limits: Limits) -> Self {
        Self::new(Role::Server, limits)
    }

    /// Makes a reader of responses; each must have been announced by [`Reader::expect`].
    #[must_use]
    pub fn client(limits: Limits) -> Self {
        Self::new(Role::Client, limits)
    }

    fn new(role: Role, limits: Limits) -> Self {
        Self {
            role,
            part: Part::Head(Search::default()),
            limits,
            places: Vec::new(),
            empty_lines: 0,
            persistent: true,
            switches: false,
            asked: None,
        }
    }

    /// What the reader waits for.
    #[must_use]
    pub const fn state(&self) -> State {
        match self.part {
            Part::Head(_) => State::Head,
            Part::Length(_)
            | Part::Chunks(_)
            | Part::Trailers(_)
            | Part::UntilClose
            | Part::End => State::Body,
            Part::Switch => State::Switch,
            Part::Closed => State::Closed,
            Part::Failed(error) => State::Failed(error),
        }
    }

    /// Says what the next response is the answer to.
    pub const fn expect(&mut self, asked: Asked) {
        self.asked = Some(asked);
    }

    /// Goes on with HTTP after a request to switch that was not granted.
    pub fn go_on(&mut self) {
        if matches!(self.part, Part::Switch) {
            self.part = if self.persistent {
                Part::Head(Search::default())
            } else {
                Part::Closed
            };
        }
    }

    /// Reads no further message on this connection, but the rest of the one that came last.
    pub const fn finish(&mut self) {
        self.persistent = false;
        if matches!(self.part, Part::Head(_) | Part::Switch) {
            self.part = Part::Closed;
        }
    }

    /// Reads what `input` begins with: all that came and was not taken yet.
    ///
    /// # Errors
    ///
    /// What is wrong with it; the reader fails with the same error from then on.
    pub fn read<'a>(&'a mut self, input: &'a [u8]) -> Result<Step<'a>, Error> {
        match self.part {
            Part::Head(search) => self.read_head(search, input),
            Part::Length(left) => Ok(self.read_length(left, input)),
            Part::Chunks(chunks) => self.read_chunks(chunks, input),
            Part::Trailers(search) => self.read_trailers(search, input),
            Part::UntilClose => Ok(Step::data(input, 0, input.len())),
            Part::End => Ok(self.tell_end()),
            Part::Switch => Ok(Step::nothing(0)),
            Part::Closed => Ok(Step::nothing(input.len())),
            Part::Failed(error) => Err(error),
        }
    }

    fn read_head<'a>(&'a mut self, mut search: Search, input: &'a [u8]) -> Result<Step<'a>, Error> {
        if self.role == Role::Server && input.starts_with(b"\r\n") {
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES {
                return Err(fail(&mut self.part, Error::RequestLine));
            }
            return Ok(Step::nothing(2));
        }
        // What is no HTTP at all, TLS say, is refused at its first byte instead of at the limit.
        match input.first() {
            None => return Ok(Step::nothing(0)),
            Some(b'\r') if self.role == Role::Server && input.len() == 1 => {
                return Ok(Step::nothing(0));
            }
            Some(first) if self.role == Role::Server && !is_token_byte(*first) => {
                return Err(fail(&mut self.part, Error::RequestLine));
            }
            Some(first) if self.role == Role::Client && *first != b'H' => {
                return Err(fail(&mut self.part, Error::StatusLine));
            }
            Some(_) => {}
        }
        let found = search
            .head(input, &self.limits)
            .map_err(|error| fail(&mut self.part, error))?;
        let Some(length) = found else {
            self.part = Part::Head(search);
            return Ok(Step::nothing(0));
        };
        let bytes = &input[..length];
        match self.role {
            Role::Server => self.begin_request(bytes),
            Role::Client => self.begin_response(bytes),
        }
    }

    fn begin_request<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Step<'a>, Error> {
        let request = head::request(bytes, &self.limits, &mut self.places)
            .map_err(|error| fail(&mut self.part, error))?;
        self.empty_lines = 0;
        self.persistent = request.wishes.persistent(request.version);
        self.switches = request.wishes.upgrade || request.method == b"CONNECT";
        self.part = Part::body(request.body);
        Ok(Step::event(bytes.len(), Event::Request(request)))
    }

    fn begin_response<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Step<'a>, Error> {
        let Some(asked) = self.asked else {
            return Err(fail(&mut self.part, Error::Unasked));
        };
        let mut response = head::response(bytes, &self.limits, &mut self.places)
            .map_err(|error| fail(&mut self.part, error))?;
        let switched =
            response.status == 101 || (asked.connect && (200..300).contains(&response.status));
        if asked.head || switched || matches!(response.status, 100..200 | 204 | 304) {
            response.body = Body::None;
        }
        if matches!(response.status, 100 | 102..200) {
            self.part = Part::Head(Search::default()); // the final response is still to come
        } else {
            self.asked = None;
            self.persistent = response.wishes.persistent(response.version);
            self.switches = switched;
            self.part = Part::body(response.body);
        }
        Ok(Step::event(bytes.len(), Event::Response(response)))
    }

    fn read_length<'a>(&mut self, left: u64, input: &'a [u8]) -> Step<'a> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let left = left - here as u64;
        self.part = if left == 0 {
            Part::End
        } else {
            Part::Length(left)
        };
        Step::data(input, 0, here)
    }

    fn read_chunks<'a>(
        &'a mut self,
        mut chunks: Chunks,
        input: &'a [u8],
    ) -> Result<Step<'a>, Error> {
        let piece = chunks
            .next(input, &self.limits)
            .map_err(|error| fail(&mut self.part, error))?;
        self.part = Part::Chunks(chunks);
        match piece {
            Piece::More(framing) => Ok(Step::nothing(framing)),
            Piece::Data(framing, length) => Ok(Step::data(input, framing, length)),
            Piece::Trailers(framing) => {
                self.part = Part::Trailers(Search::default());
                if input[framing..].starts_with(b"\r\n") {
                    self.places.clear();
                    return Ok(self.tell_end().after(framing + 2));
                }
                Ok(Step::nothing(framing))
            }
        }
    }

    fn read_trailers<'a>(
        &'a mut self,
        mut search: Search,
        input: &'a [u8],
    ) -> Result<Step<'a>, Error> {
        let found = search
            .head(input, &self.limits)
            .map_err(|error| match error {
                Error::LongRequestLine => fail(&mut self.part, Error::LargeHead),
                error => fail(&mut self.part, error),
            })?;
        let Some(length) = found else {
            self.part = Part::Trailers(search);
            return Ok(Step::nothing(0));
        };
        let fields = head::trailers(&input[..length], &self.limits, &mut self.places)
            .map_err(|error| fail(&mut self.part, error))?;
        self.part = after(self.switches, self.persistent);
        Ok(Step::event(length, Event::End(fields)))
    }

    fn tell_end(&mut self) -> Step<'static> {
        self.part = after(self.switches, self.persistent);
        Step::event(0, Event::End(Fields::new(&[], &[])))
    }

    /// Learns that the peer sends no more; `left` are the bytes that came and were not taken.
    ///
    /// Returns whether that ends a message: a body that lasts until then.
    ///
    /// # Errors
    ///
    /// If it is in the middle of a message.
    pub const fn end(&mut self, left: &[u8]) -> Result<bool, Error> {
        match self.part {
            Part::UntilClose => {
                (self.part, self.persistent) = (Part::End, false);
                Ok(true)
            }
            Part::Head(_) if left.is_empty() => {
                self.part = Part::Closed;
                Ok(false)
            }
            Part::Switch | Part::Closed => Ok(false),
            Part::End => {
                self.persistent = false;
                Ok(true)
            }
            Part::Failed(error) => Err(error),
            Part::Head(_) | Part::Length(_) | Part::Chunks(_) | Part::Trailers(_) => {
                self.part = Part::Failed(Error::Incomplete);
                Err(Error::Incomplete)
            }
        }
    }
}
