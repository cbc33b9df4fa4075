//! What the tests share: a reader driven over input in pieces, and its events in a form that can be compared.

#![allow(dead_code, reason = "each test binary uses some of it")]

use torsion_http1::{Asked, Body, Error, Event, Fields, Limits, Reader, State, Version};

/// An event without borrowed parts; data that came in pieces is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Request {
        method: String,
        target: String,
        version: Version,
        fields: Vec<(String, String)>,
        body: Body,
    },
    Response {
        status: u16,
        fields: Vec<(String, String)>,
        body: Body,
    },
    Data(Vec<u8>),
    End(Vec<(String, String)>),
    Failed(Error),
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn pairs(fields: Fields<'_>) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

fn seen(event: Event<'_>) -> Seen {
    match event {
        Event::Request(request) => Seen::Request {
            method: text(request.method),
            target: text(request.target),
            version: request.version,
            fields: pairs(request.fields),
            body: request.body,
        },
        Event::Response(response) => Seen::Response {
            status: response.status,
            fields: pairs(response.fields),
            body: response.body,
        },
        Event::Data(data) => Seen::Data(data.to_vec()),
        Event::End(fields) => Seen::End(pairs(fields)),
    }
}

/// A reader with what its caller keeps.
pub(crate) struct Driven {
    pub(crate) reader: Reader,
    pub(crate) kept: Vec<u8>,
    pub(crate) most_kept: usize,
    pub(crate) seen: Vec<Seen>,
}

impl Driven {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            kept: Vec::new(),
            most_kept: 0,
            seen: Vec::new(),
        }
    }

    pub(crate) fn server() -> Self {
        Self::new(Reader::server(Limits::default()))
    }

    pub(crate) fn client(asked: Asked) -> Self {
        let mut reader = Reader::client(Limits::default());
        reader.expect(asked);
        Self::new(reader)
    }

    fn tell(&mut self, event: Seen) {
        match (self.seen.last_mut(), event) {
            (Some(Seen::Data(before)), Seen::Data(data)) => before.extend(data),
            (_, event) => self.seen.push(event),
        }
    }

    /// Takes bytes, and reads as far as it goes.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        if matches!(self.reader.state(), State::Failed(_)) {
            return;
        }
        self.kept.extend_from_slice(bytes);
        let kept = std::mem::take(&mut self.kept);
        let mut taken = 0;
        loop {
            let (step_taken, event) = match self.reader.read(&kept[taken..]) {
                Ok(step) => (step.taken, step.event.map(seen)),
                Err(error) => {
                    self.tell(Seen::Failed(error));
                    return;
                }
            };
            taken += step_taken;
            match event {
                Some(event) => self.tell(event),
                None if step_taken == 0 => break,
                None => {}
            }
        }
        self.kept = kept[taken..].to_vec();
        self.most_kept = self.most_kept.max(self.kept.len());
    }

    pub(crate) fn end(&mut self) {
        if matches!(self.reader.state(), State::Failed(_)) {
            return;
        }
        match self.reader.end(&self.kept.clone()) {
            Ok(true) => self.take(b""),
            Ok(false) => {}
            Err(error) => self.tell(Seen::Failed(error)),
        }
    }
}

/// What a server sees of `input`, in one piece.
pub(crate) fn requests(input: &[u8]) -> Vec<Seen> {
    let mut driven = Driven::server();
    driven.take(input);
    driven.seen
}

/// What a server sees of `input`, byte by byte.
pub(crate) fn requests_by_bytes(input: &[u8]) -> Vec<Seen> {
    let mut driven = Driven::server();
    for byte in input {
        driven.take(&[*byte]);
    }
    driven.seen
}

/// What is wrong with `input`, if anything is; the same in one piece and byte by byte.
pub(crate) fn wrong(input: &[u8]) -> Option<Error> {
    let seen = requests(input);
    assert_eq!(seen, requests_by_bytes(input), "{:?}", text(input));
    match seen.last() {
        Some(Seen::Failed(error)) => Some(*error),
        _ => None,
    }
}
