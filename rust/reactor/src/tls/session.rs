//! One secured connection's state: what lies between the socket's bytes and the protocol's.
//!
//! An idle connection owns its keys and nothing else: a record that has come in part is kept until its rest is there, and
//! what is to be sent is sealed when it is flushed.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use rustls::crypto::cipher::OutboundChunks;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, Error};

use super::config::{Role, TlsConfig};
use super::handshake::{Handshake, Step};
use super::traffic::{Opened, RECORD, Traffic};
use crate::buffer::inbox::Piece;
use crate::buffer::outbox::Outbox;
use crate::security::{Details, Failure, Kind, Peer};
use crate::timer::TimerId;

/// How long we wait for the peer's word that it closes as well, after ours.
///
/// A peer that is there answers within a round trip; this leaves room for a lost packet or two.  A silent one holds nothing
/// but the descriptor, and not for ever.
pub(crate) const FAREWELL_PATIENCE: Duration = Duration::from_secs(5);

/// How much is sealed ahead of what the kernel has taken.
///
/// Plaintext is kept by reference, records are memory of ours: this much fills a socket's buffer and the processor's cache
/// still holds it when it is sent.
const SEAL_AHEAD: usize = 256 * 1024;

/// How much of a handshake is kept whose messages are not whole yet.
///
/// The longest message has 64 KiB; a peer that sends it in crumbs makes more of it, but has no reason to.
const LONGEST_HANDSHAKE: usize = 128 * 1024;

/// The header of a record.
const HEADER: usize = 5;

/// What a record may have more than its contents: the most that any version allows.
const EXPANSION: usize = 2048;

/// Why TLS could not be started.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// It is on already.
    Secure,
    /// The stream is closing or closed.
    Closing,
    /// A client that checks names was given none.
    NoName,
    /// This can be nobody's name.
    BadName(String),
    /// rustls refused.
    Refused(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secure => formatter.write_str("TLS was started on this connection already"),
            Self::Closing => {
                formatter.write_str("TLS cannot be started: the connection is closing")
            }
            Self::NoName => formatter.write_str(
                "the server's name is needed to check its certificate, and none was given",
            ),
            Self::BadName(name) => write!(
                formatter,
                "{name:?} is neither a host's name nor a numeric address"
            ),
            Self::Refused(problem) => write!(formatter, "TLS cannot be started: {problem}"),
        }
    }
}

impl std::error::Error for StartError {}

/// What came of the records that were read.
#[derive(Debug)]
pub(crate) enum Work {
    /// Nothing to tell.
    Nothing,
    /// There is plaintext.
    Data,
    /// The handshake is over.
    Secured(Box<Peer>),
    /// The peer says that it sends no more.
    Closed,
    /// It failed; see [`Session::failure`].
    Failed,
}

#[derive(Debug)]
enum Phase {
    Handshake(Handshake),
    Traffic(Traffic),
    /// It failed: nothing is opened or sealed any more.
    Failed,
}

/// One secured connection's state.
#[derive(Debug)]
pub(crate) struct Session<C> {
    phase: Phase,
    /// What the protocol wrote and is not sealed yet.
    plain: Outbox<C>,
    /// What was read and not worked off: part of a record, or what nobody wanted yet.
    stash: Vec<u8>,
    /// How much of the stash the handshake has seen, and keeps there.
    seen: usize,
    /// Whether there may be something to tell without anything being read.
    ripe: bool,
    /// Whether the peer's first record has come.
    begun: bool,
    /// Whether the peer said that it sends no more.
    over: bool,
    /// Whether that was told.
    over_told: bool,
    /// Whether we have said so.
    farewell: bool,
    /// Whether we wait for the peer to say so, and for nothing else.
    lingering: bool,
    patience: Duration,
    /// When the engine looks after it.
    pub(crate) deadline: Option<TimerId>,
    failure: Option<Box<Failure>>,
}

impl<C: AsRef<[u8]>> Session<C> {
    /// Begins a session; a client's first words go to `outbox`.
    pub(crate) fn start(
        config: &TlsConfig,
        name: Option<&str>,
        address: Option<IpAddr>,
        outbox: &mut Outbox<C>,
    ) -> Result<Self, StartError> {
        let name = match (name, &config.role) {
            (_, Role::Server(_)) => nobody(None),
            (Some(name), Role::Client { .. }) => ServerName::try_from(name.to_owned())
                .map_err(|_| StartError::BadName(name.to_owned()))?,
            (None, Role::Client { named: true, .. }) => return Err(StartError::NoName),
            (None, Role::Client { named: false, .. }) => nobody(address),
        };
        let mut handshake =
            Handshake::new(config, name).map_err(|error| StartError::Refused(error.to_string()))?;
        if config.is_client() {
            let mut hello = Vec::new();
            if let (_, Step::Failed(error)) = handshake.feed(&mut [], &mut hello) {
                return Err(StartError::Refused(error.to_string()));
            }
            outbox.push_vec(hello);
        }
        Ok(Self {
            phase: Phase::Handshake(handshake),
            plain: Outbox::new(),
            stash: Vec::new(),
            seen: 0,
            ripe: false,
            begun: false,
            over: false,
            over_told: false,
            farewell: false,
            lingering: false,
            patience: config.handshake_patience,
            deadline: None,
            failure: None,
        })
    }

    // How it stands

    pub(crate) const fn is_handshaking(&self) -> bool {
        matches!(self.phase, Phase::Handshake(_))
    }

    /// Whether there may be something to tell without anything being read.
    pub(crate) const fn is_ripe(&self) -> bool {
        self.ripe
    }

    /// Whether the peer said that it sends no more.
    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether we said that we send no more.
    pub(crate) const fn said_farewell(&self) -> bool {
        self.farewell
    }

    pub(crate) const fn is_lingering(&self) -> bool {
        self.lingering
    }

    /// From now on nothing is waited for but the peer's end.
    pub(crate) fn linger(&mut self) {
        self.lingering = true;
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub(crate) fn take_failure(&mut self) -> Option<Box<Failure>> {
        self.failure.take()
    }

    /// How long the handshake may take.
    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    // Writing

    /// How many bytes wait to be sealed.
    pub(crate) const fn pending(&self) -> usize {
        self.plain.len()
    }

    /// Queues what is to be sealed; `None` if our end is said already.
    pub(crate) fn queue(&mut self) -> Option<&mut Outbox<C>> {
        (!self.farewell && self.failure.is_none()).then_some(&mut self.plain)
    }

    /// Seals what waits, as far as it makes sense; returns whether there are keys, and so whether it may go on.
    pub(crate) fn seal(&mut self, outbox: &mut Outbox<C>) -> bool {
        let Phase::Traffic(traffic) = &mut self.phase else {
            return false;
        };
        while !self.plain.is_empty() && outbox.len() < SEAL_AHEAD {
            let mut owed = Vec::new();
            let sealed = self.plain.take(RECORD, drop, |pieces| {
                traffic.seal(OutboundChunks::new(pieces), &mut owed)
            });
            match sealed {
                Ok(record) => {
                    outbox.push_vec(owed);
                    outbox.push_vec(record);
                }
                Err(failure) => {
                    self.fail(failure, outbox);
                    return false;
                }
            }
        }
        true
    }

    /// Says that we send no more, unless that is said already or cannot be said; returns whether it was said now.
    pub(crate) fn say_farewell(&mut self, outbox: &mut Outbox<C>) -> bool {
        let Phase::Traffic(traffic) = &mut self.phase else {
            return false;
        };
        if self.farewell {
            return false;
        }
        self.farewell = true;
        let mut alert = Vec::new();
        traffic.seal_alert(AlertDescription::CloseNotify, &mut alert);
        outbox.push_vec(alert);
        true
    }

    /// The stream is about to be closed: says our end, unless something that should have come before it is lost.
    pub(crate) fn last_words(&mut self, outbox: &mut Outbox<C>) {
        if self.plain.is_empty() {
            self.say_farewell(outbox);
        }
        self.plain.clear(drop);
    }

    // Reading

    /// How much of a buffer's front the stash is going to take.
    pub(crate) fn stashed(&self) -> usize {
        self.stash.len()
    }

    /// Puts the stash to the front of `room`.
    pub(crate) fn unstash(&mut self, room: &mut [u8]) {
        if let Some(front) = room.get_mut(..self.stash.len()) {
            front.copy_from_slice(&self.stash);
        }
        self.stash = Vec::new(); // an idle connection is to own no memory for this
    }

    /// Works on what was read.  The plaintext stays in `bytes`, at `pieces`; what is owed to the peer goes to `outbox`.
    pub(crate) fn work(
        &mut self,
        bytes: &mut [u8],
        pieces: &mut Vec<Piece>,
        outbox: &mut Outbox<C>,
    ) -> Work {
        self.ripe = false;
        if self.failure.is_some() {
            return Work::Failed;
        }
        if self.over {
            let told = std::mem::replace(&mut self.over_told, true);
            return if told { Work::Nothing } else { Work::Closed };
        }
        match &mut self.phase {
            Phase::Handshake(_) => self.shake_hands(bytes, outbox),
            Phase::Traffic(_) => self.open(bytes, pieces, outbox),
            Phase::Failed => Work::Failed,
        }
    }

    fn open(&mut self, bytes: &mut [u8], pieces: &mut Vec<Piece>, outbox: &mut Outbox<C>) -> Work {
        let Phase::Traffic(traffic) = &mut self.phase else {
            return Work::Failed;
        };
        let mut owed = Vec::new();
        let mut at = 0;
        let mut failed = None;
        loop {
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let size = match measure(rest) {
                Ok(Some(size)) => size,
                Ok(None) => {
                    self.stash = rest.to_vec();
                    break;
                }
                Err(failure) => {
                    failed = Some(failure);
                    break;
                }
            };
            match traffic.open(&mut rest[..size], &mut owed) {
                Ok(Opened::Data(offset, size)) => pieces.push(Piece {
                    start: at + offset,
                    size,
                }),
                Ok(Opened::Nothing) => {}
                Ok(Opened::Closed) => {
                    self.over = true;
                    break;
                }
                Err(failure) => {
                    failed = Some(failure);
                    break;
                }
            }
            at += size;
        }
        if !self.farewell {
            outbox.push_vec(owed);
        }
        if let Some(failure) = failed {
            self.fail(failure, outbox);
        }
        // Data comes before what follows it.
        if !pieces.is_empty() {
            self.ripe = self.over || self.failure.is_some();
            return Work::Data;
        }
        if self.failure.is_some() {
            Work::Failed
        } else if self.over {
            self.over_told = true;
            Work::Closed
        } else {
            Work::Nothing
        }
    }

    fn shake_hands(&mut self, bytes: &mut [u8], outbox: &mut Outbox<C>) -> Work {
        // What the handshake keeps begins at `start`; what it has not seen begins at `end`.
        let (mut start, mut end) = (0, self.seen);
        let mut outgoing = Vec::new();
        let step = loop {
            let rest = bytes.get(end..).unwrap_or_default();
            if !self.begun && !begins_well(rest) {
                let failure = Failure::not_tls(rest);
                self.phase = Phase::Failed; // who does not speak TLS would not understand an alert
                return self.fail(failure, outbox);
            }
            self.begun |= !rest.is_empty();
            let size = match measure(rest) {
                Ok(Some(size)) => size,
                Ok(None) => break Step::More,
                Err(failure) => {
                    return self.fail(failure, outbox);
                }
            };
            end += size;
            let Phase::Handshake(handshake) = &mut self.phase else {
                return Work::Failed;
            };
            let (used, step) = handshake.feed(&mut bytes[start..end], &mut outgoing);
            start += used;
            if !matches!(step, Step::More) {
                break step;
            }
            if end - start > LONGEST_HANDSHAKE {
                let failure = Failure::new(
                    Kind::Oversized,
                    "the peer sent a handshake in too many pieces",
                );
                return self.fail(failure, outbox);
            }
        };
        outbox.push_vec(outgoing);
        match step {
            Step::More => {
                self.seen = end - start;
                self.stash = bytes.get(start..).unwrap_or_default().to_vec();
                Work::Nothing
            }
            Step::Done => {
                let rest = bytes.get(end..).unwrap_or_default();
                self.settle_in(start == end, rest, outbox)
            }
            Step::Closed => self.fail(eof(), outbox),
            Step::Failed(error) => {
                let mut failure = Failure::from_rustls(&error);
                if let (Error::NoApplicationProtocol, Phase::Handshake(handshake)) =
                    (&error, &mut self.phase)
                {
                    failure = failure.with(Details::Offered(handshake.offered()));
                }
                self.phase = Phase::Failed; // rustls has told the peer
                self.fail(failure, outbox)
            }
        }
    }

    /// The handshake is over: takes the keys.
    fn settle_in(&mut self, clean: bool, rest: &[u8], outbox: &mut Outbox<C>) -> Work {
        let Phase::Handshake(handshake) = std::mem::replace(&mut self.phase, Phase::Failed) else {
            return Work::Failed;
        };
        if !clean {
            let failure = Failure::new(
                Kind::Malformed,
                "the peer broke the rules of TLS: it sent part of a message with the last of the handshake",
            );
            return self.fail(failure, outbox);
        }
        match handshake.finish() {
            Ok((traffic, peer)) => {
                self.phase = Phase::Traffic(traffic);
                self.seen = 0;
                self.stash = rest.to_vec();
                self.ripe = !rest.is_empty();
                Work::Secured(Box::new(peer))
            }
            Err(error) => self.fail(Failure::from_rustls(&error), outbox),
        }
    }

    /// Notes a failure and tells the peer.
    fn fail(&mut self, failure: Failure, outbox: &mut Outbox<C>) -> Work {
        let alert = match failure.kind {
            // The peer has ended it, or is not there.
            Kind::Alert | Kind::Eof | Kind::Truncated | Kind::NotTls => None,
            Kind::Decrypt => Some(AlertDescription::BadRecordMac),
            Kind::Oversized => Some(AlertDescription::RecordOverflow),
            Kind::Internal => Some(AlertDescription::InternalError),
            _ => Some(AlertDescription::UnexpectedMessage),
        };
        if let (Some(alert), false) = (alert, self.farewell) {
            let mut record = Vec::new();
            match &mut self.phase {
                Phase::Traffic(traffic) => traffic.seal_alert(alert, &mut record),
                Phase::Handshake(_) => {
                    record.extend_from_slice(&[21, 3, 3, 0, 2, 2, u8::from(alert)])
                }
                Phase::Failed => {}
            }
            outbox.push_vec(record);
        }
        self.farewell = true;
        self.phase = Phase::Failed;
        self.plain.clear(drop);
        self.stash = Vec::new();
        self.failure = Some(Box::new(failure));
        Work::Failed
    }

    /// The handshake took too long.
    pub(crate) fn time_out(&mut self, outbox: &mut Outbox<C>) {
        let seconds = self.patience.as_secs_f64();
        let failure = Failure::new(
            Kind::Timeout,
            format!("the TLS handshake was not over after {seconds} seconds"),
        );
        self.fail(failure.with(Details::Time(self.patience)), outbox);
    }

    /// The connection ended, and the peer had not said that it would.
    pub(crate) fn cut_off(&mut self, outbox: &mut Outbox<C>) {
        let failure = if self.is_handshaking() {
            if self.begun {
                eof()
            } else {
                Failure::new(
                    Kind::Eof,
                    "the peer closed the connection before the TLS handshake began",
                )
            }
        } else {
            Failure::new(
                Kind::Truncated,
                "the connection ended without the peer having said so (no close_notify): what came last may be missing",
            )
        };
        self.fail(failure, outbox);
    }
}

fn eof() -> Failure {
    Failure::new(
        Kind::Eof,
        "the peer closed the connection during the TLS handshake",
    )
}

/// A name for whom nobody is called by one: the address, which tells sessions of different servers apart.
fn nobody(address: Option<IpAddr>) -> ServerName<'static> {
    ServerName::from(address.unwrap_or(IpAddr::from([0, 0, 0, 0])))
}

/// Whether this may be the beginning of a peer's first record: a handshake's, or an alert.
fn begins_well(bytes: &[u8]) -> bool {
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    bytes
        .first()
        .is_none_or(|kind| matches!(*kind, ALERT | HANDSHAKE))
        && bytes.get(1).is_none_or(|major| *major == 3)
}

/// The size of the record at the front, header and all; `None` if it is not all there.
fn measure(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(&[kind, major, _, high, low]) = bytes.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    if !(20..=24).contains(&kind) || major != 3 {
        return Err(Failure::new(
            Kind::Malformed,
            format!(
                "the peer broke the rules of TLS: it sent a record of the kind {kind} and version {major}"
            ),
        ));
    }
    let size = usize::from(u16::from_be_bytes([high, low]));
    if size > RECORD + EXPANSION {
        return Err(Failure::new(
            Kind::Oversized,
            format!("the peer announced a record of {size} bytes, which is longer than TLS allows"),
        ));
    }
    Ok((bytes.len() >= HEADER + size).then_some(HEADER + size))
}
