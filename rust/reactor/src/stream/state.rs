//! The life of a stream as a table.  No sockets, no buffers: inputs go in, actions come out.
//!
//! A stream has two halves.  The *read* half is open, paused or closed by the peer; the *write* half is open, closing
//! (shut down once everything is sent) or shut.  Over both stands the *lifecycle*, the columns of `TABLE`:
//!
//! * `Open`: as the halves say.
//! * `Draining`, after `loseConnection`: nothing is read any more; what is queued, and what is still written meanwhile,
//!   is sent before the stream closes.
//! * `Aborting`, after `abortConnection`: nothing is read or sent any more.
//! * `Closed`: final.
//!
//! Rules that the table keeps:
//!
//! * No input of the user closes the stream by itself.  It asks for [`Action::Flush`], a visit of the loop, which then
//!   reports [`Input::Flushed`]; so a hook never finds its stream closed below it, and what is written right after
//!   `loseConnection` is still sent.
//! * [`Action::Close`] is given exactly once, and nothing but [`Action::StopProducer`] after it.
//! * An abort beats an orderly close and the system's errors; a hook that raises beats the abort, so that calling
//!   `abortConnection` never hides a bug.
//! * A producer that waits to be resumed (one that was paused, or that is to be asked for each piece) keeps a stream
//!   from closing; a streaming producer that is free to write does not, as in Twisted: it could do so for ever.
//! * A stream of which both halves are closed is done.

use crate::error::CloseReason;

/// What happens to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The user wants nothing delivered for now.
    Pause,
    /// The user wants deliveries again.
    Resume,
    /// A read found the end of the stream.
    PeerEof,
    /// The answer to [`Action::DeliverEof`]: the protocol goes on without the peer's half.
    EofKept,
    /// The answer to [`Action::DeliverEof`]: the protocol knows no half-closed streams.
    EofRefused,
    /// The user wants the stream closed once everything is sent.
    LoseConnection,
    /// The user wants our half shut down once everything is sent.
    LoseWrite,
    /// The user wants the stream closed now.
    Abort,
    /// The loop has visited the stream and its outbox is empty.
    Flushed,
    /// The outbox went above its high water mark.
    OutboxFull,
    /// A producer was registered that writes until it is paused.
    StreamingProducer,
    /// A producer was registered that is to be asked for each piece.
    PullProducer,
    /// The producer was unregistered.
    NoProducer,
    /// Reading or writing failed with this error of the system.
    Failed(i32),
    /// A hook of the stream's protocol or producer raised.
    HookRaised,
}

impl Input {
    /// The row of `TABLE`.
    const fn row(self) -> usize {
        match self {
            Self::Pause => 0,
            Self::Resume => 1,
            Self::PeerEof => 2,
            Self::EofKept => 3,
            Self::EofRefused => 4,
            Self::LoseConnection => 5,
            Self::LoseWrite => 6,
            Self::Abort => 7,
            Self::Flushed => 8,
            Self::OutboxFull => 9,
            Self::StreamingProducer => 10,
            Self::PullProducer => 11,
            Self::NoProducer => 12,
            Self::Failed(_) => 13,
            Self::HookRaised => 14,
        }
    }
}

/// What the stream's keeper is to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read no more.
    StopReading,
    /// Read again, and try it at once: the poller told of what is there while nobody was reading, and will not repeat
    /// it.
    StartReading,
    /// Throw away what is queued.
    ClearOutbox,
    /// Shut our half of the socket down.
    ShutWrite,
    /// Tell the protocol that the peer closed its half, and answer with [`Input::EofKept`] or [`Input::EofRefused`].
    DeliverEof,
    /// Tell the protocol that our half is shut down.
    DeliverWriteClosed,
    /// Tell the producer to pause.
    PauseProducer,
    /// Tell the producer to write.
    ResumeProducer,
    /// Visit the stream before the loop waits: send what is queued, and report [`Input::Flushed`] if nothing is left.
    Flush,
    /// Close the socket and, later, tell the protocol for what reason.
    Close(CloseReason),
    /// Tell the producer that it is not needed any more.
    StopProducer,
}

/// At most three actions, to be carried out in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions([Option<Action>; 3]);

impl Actions {
    /// Nothing to do.
    pub const NONE: Self = Self([None; 3]);

    const fn one(only: Action) -> Self {
        Self([Some(only), None, None])
    }

    const fn two(first: Action, second: Action) -> Self {
        Self([Some(first), Some(second), None])
    }

    const fn three(first: Action, second: Action, third: Action) -> Self {
        Self([Some(first), Some(second), Some(third)])
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Action>, 3>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ReadHalf {
    Open,
    Paused,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum WriteHalf {
    Open,
    Closing,
    Shut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lifecycle {
    Open,
    Draining,
    Aborting,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Producer {
    None,
    /// May write at any time.
    Free,
    /// Was told to pause.
    Paused,
    /// Writes once each time it is asked.
    Pull,
}

/// What an input does: the entries of `TABLE`, each carried out by one arm of [`State::obey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Nothing, on purpose.
    Ignore,
    /// Stop reading, if the read half is open.
    Pause,
    /// Start reading, if the read half is paused.
    Resume,
    /// Close the read half and tell the protocol, once.
    TellEof,
    /// Close as done if both halves are closed.
    DoneIfBothClosed,
    /// Go over to `Draining`.
    Drain,
    /// Let our half be shut down once everything is sent.
    CloseWrite,
    /// Go over to `Aborting`.
    Abort,
    /// Everything is sent: let the producer go on, or else do what was waiting for it.
    Settle,
    /// Let a free producer pause.
    Hold,
    /// Take a streaming producer on.
    TakeStreaming,
    /// Take a pull producer on and ask it for its first piece.
    TakePull,
    /// Tell a producer that came too late.
    RefuseProducer,
    /// Let the producer go, and go on with what waited for it.
    Release,
    /// Close as done.
    EndDone,
    /// Close as lost, by the input's error.
    EndLost,
    /// Close as aborted.
    EndAborted,
    /// Close as raised.
    EndRaised,
}

use Rule::{
    Abort, CloseWrite, DoneIfBothClosed, Drain, EndAborted, EndDone, EndLost, EndRaised, Hold,
    Ignore, Pause, RefuseProducer, Release, Resume, Settle, TakePull, TakeStreaming, TellEof,
};

/// What each input does in each lifecycle.
#[rustfmt::skip]
const TABLE: [(&str, [Rule; 4]); 15] = [
    //                      Open              Draining        Aborting        Closed
    ("Pause",              [Pause,            Ignore,         Ignore,         Ignore]),
    ("Resume",             [Resume,           Ignore,         Ignore,         Ignore]),
    ("PeerEof",            [TellEof,          Ignore,         Ignore,         Ignore]),
    ("EofKept",            [DoneIfBothClosed, Ignore,         Ignore,         Ignore]),
    ("EofRefused",         [EndDone,          Ignore,         Ignore,         Ignore]),
    ("LoseConnection",     [Drain,            Ignore,         Ignore,         Ignore]),
    ("LoseWrite",          [CloseWrite,       Ignore,         Ignore,         Ignore]),
    ("Abort",              [Abort,            Abort,          Ignore,         Ignore]),
    ("Flushed",            [Settle,           Settle,         EndAborted,     Ignore]),
    ("OutboxFull",         [Hold,             Hold,           Ignore,         Ignore]),
    ("StreamingProducer",  [TakeStreaming,    TakeStreaming,  TakeStreaming,  RefuseProducer]),
    ("PullProducer",       [TakePull,         TakePull,       TakePull,       RefuseProducer]),
    ("NoProducer",         [Release,          Release,        Release,        Ignore]),
    ("Failed",             [EndLost,          EndLost,        EndAborted,     Ignore]),
    ("HookRaised",         [EndRaised,        EndRaised,      EndRaised,      Ignore]),
];

/// Where a stream stands in its life; four bytes.
///
/// ```
/// use torsion_reactor::error::CloseReason;
/// use torsion_reactor::stream::state::{Action, Input, State};
///
/// let mut state = State::new();
/// let actions: Vec<Action> = state.apply(Input::LoseConnection).into_iter().collect();
/// assert_eq!(actions, [Action::StopReading, Action::Flush]);
/// let actions: Vec<Action> = state.apply(Input::Flushed).into_iter().collect();
/// assert_eq!(actions, [Action::Close(CloseReason::Done)]);
/// assert!(state.is_closed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    read: ReadHalf,
    write: WriteHalf,
    life: Lifecycle,
    producer: Producer,
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// The state of a fresh connection: both halves open, no producer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            read: ReadHalf::Open,
            write: WriteHalf::Open,
            life: Lifecycle::Open,
            producer: Producer::None,
        }
    }

    /// The state of a fresh stream whose halves are not both there: one that is not is closed from the start.
    #[must_use]
    pub const fn one_way(reading: bool, writing: bool) -> Self {
        let mut state = Self::new();
        if !reading {
            state.read = ReadHalf::Closed;
        }
        if !writing {
            state.write = WriteHalf::Shut;
        }
        state
    }

    /// Whether what is read may be delivered.
    #[must_use]
    pub const fn is_reading(self) -> bool {
        matches!((self.life, self.read), (Lifecycle::Open, ReadHalf::Open))
    }

    /// Whether nothing will be delivered any more.
    #[must_use]
    pub const fn is_deaf(self) -> bool {
        !matches!(self.life, Lifecycle::Open) || matches!(self.read, ReadHalf::Closed)
    }

    /// Whether what the user writes is to be queued; else it is dropped in silence.
    #[must_use]
    pub const fn accepts_writes(self) -> bool {
        matches!(self.life, Lifecycle::Open | Lifecycle::Draining)
            && !matches!(self.write, WriteHalf::Shut)
    }

    /// Whether the stream closes once everything is sent.
    #[must_use]
    pub const fn is_draining(self) -> bool {
        matches!(self.life, Lifecycle::Draining)
    }

    /// Whether our half ends, or the stream does, as soon as everything is sent: no producer is waited for.
    #[must_use]
    pub const fn is_finishing(self) -> bool {
        matches!(self.producer, Producer::None | Producer::Free)
            && (matches!(self.life, Lifecycle::Draining)
                || matches!(self.life, Lifecycle::Open) && matches!(self.write, WriteHalf::Closing))
    }

    /// Whether the stream closes at the loop's next visit, whatever is queued.
    #[must_use]
    pub const fn is_aborting(self) -> bool {
        matches!(self.life, Lifecycle::Aborting)
    }

    /// Whether [`Action::Close`] was given.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self.life, Lifecycle::Closed)
    }

    /// Whether a producer is registered that writes without being asked, and [`Input::OutboxFull`] would pause it.
    #[must_use]
    pub const fn has_free_producer(self) -> bool {
        matches!(self.producer, Producer::Free)
    }

    /// Takes an input in and returns what is to be done.
    #[must_use]
    pub const fn apply(&mut self, input: Input) -> Actions {
        let rule = TABLE[input.row()].1[self.life as usize];
        let errno = match input {
            Input::Failed(errno) => errno,
            _ => 0,
        };
        self.obey(rule, errno)
    }

    const fn obey(&mut self, rule: Rule, errno: i32) -> Actions {
        match rule {
            Ignore => Actions::NONE,
            Pause => self.turn_read(ReadHalf::Open, ReadHalf::Paused, Action::StopReading),
            Resume => self.turn_read(ReadHalf::Paused, ReadHalf::Open, Action::StartReading),
            TellEof => {
                if matches!(self.read, ReadHalf::Closed) {
                    return Actions::NONE;
                }
                self.read = ReadHalf::Closed;
                Actions::two(Action::StopReading, Action::DeliverEof)
            }
            DoneIfBothClosed => match (self.read, self.write) {
                (ReadHalf::Closed, WriteHalf::Shut) => self.end(CloseReason::Done),
                _ => Actions::NONE,
            },
            Drain => {
                self.life = Lifecycle::Draining;
                Actions::two(Action::StopReading, Action::Flush)
            }
            CloseWrite => {
                if !matches!(self.write, WriteHalf::Open) {
                    return Actions::NONE;
                }
                self.write = WriteHalf::Closing;
                Actions::one(Action::Flush)
            }
            Abort => {
                self.life = Lifecycle::Aborting;
                Actions::three(Action::StopReading, Action::ClearOutbox, Action::Flush)
            }
            Settle => self.settle(),
            Hold => {
                if !matches!(self.producer, Producer::Free) {
                    return Actions::NONE;
                }
                self.producer = Producer::Paused;
                Actions::one(Action::PauseProducer)
            }
            TakeStreaming => {
                self.producer = Producer::Free;
                Actions::NONE
            }
            TakePull => {
                self.producer = Producer::Pull;
                Actions::one(Action::ResumeProducer)
            }
            RefuseProducer => Actions::one(Action::StopProducer),
            Release => {
                self.producer = Producer::None;
                if matches!(self.life, Lifecycle::Draining)
                    || matches!(self.write, WriteHalf::Closing)
                {
                    return Actions::one(Action::Flush);
                }
                Actions::NONE
            }
            EndDone => self.end(CloseReason::Done),
            EndLost => self.end(CloseReason::Lost(errno)),
            EndAborted => self.end(CloseReason::Aborted),
            EndRaised => self.end(CloseReason::Raised),
        }
    }

    const fn turn_read(&mut self, from: ReadHalf, to: ReadHalf, action: Action) -> Actions {
        if self.read as u8 != from as u8 {
            return Actions::NONE;
        }
        self.read = to;
        Actions::one(action)
    }

    const fn settle(&mut self) -> Actions {
        if matches!(self.producer, Producer::Paused) {
            self.producer = Producer::Free;
            return Actions::one(Action::ResumeProducer);
        }
        if matches!(self.producer, Producer::Pull) {
            return Actions::one(Action::ResumeProducer);
        }
        match (self.life, self.write, self.read) {
            (Lifecycle::Draining, _, _) | (_, WriteHalf::Shut, ReadHalf::Closed) => {
                self.end(CloseReason::Done)
            }
            (_, WriteHalf::Closing, ReadHalf::Closed) => {
                self.write = WriteHalf::Shut;
                // Closed at the next visit only, as the hook comes first and may raise.
                Actions::three(Action::ShutWrite, Action::DeliverWriteClosed, Action::Flush)
            }
            (_, WriteHalf::Closing, _) => {
                self.write = WriteHalf::Shut;
                Actions::two(Action::ShutWrite, Action::DeliverWriteClosed)
            }
            _ => Actions::NONE,
        }
    }

    const fn end(&mut self, reason: CloseReason) -> Actions {
        self.life = Lifecycle::Closed;
        if matches!(self.producer, Producer::None) {
            return Actions::one(Action::Close(reason));
        }
        self.producer = Producer::None;
        Actions::two(Action::Close(reason), Action::StopProducer)
    }
}

#[cfg(test)]
mod tests;
