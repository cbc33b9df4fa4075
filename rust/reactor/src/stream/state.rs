//! The life of a stream as a table.  No sockets, no buffers: inputs go in, actions come out.
//!
//! A stream has two halves.  The *read* half is open, paused or closed by the peer; the *write* half is open, closing
//! (shut down once everything is sent) or shut.  Over both stands the *lifecycle*, the columns of [`TABLE`]:
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
    /// The row of [`TABLE`].
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
    /// Read again, and try it at once: the poller told of what is there while nobody was reading, and will not repeat it.
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

/// What an input does: the entries of [`TABLE`], each carried out by one arm of [`State::obey`].
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
    /// Close the read half in silence.
    NoteEof,
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
    Ignore, NoteEof, Pause, RefuseProducer, Release, Resume, Settle, TakePull, TakeStreaming,
    TellEof,
};

/// What each input does in each lifecycle.
#[rustfmt::skip]
const TABLE: [(&str, [Rule; 4]); 15] = [
    //                      Open              Draining        Aborting        Closed
    ("Pause",              [Pause,            Ignore,         Ignore,         Ignore]),
    ("Resume",             [Resume,           Ignore,         Ignore,         Ignore]),
    ("PeerEof",            [TellEof,          NoteEof,        Ignore,         Ignore]),
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

    /// Whether what is read may be delivered.
    #[must_use]
    pub const fn is_reading(self) -> bool {
        matches!((self.life, self.read), (Lifecycle::Open, ReadHalf::Open))
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
            NoteEof => {
                self.read = ReadHalf::Closed;
                Actions::NONE
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const INPUTS: [Input; 15] = [
        Input::Pause,
        Input::Resume,
        Input::PeerEof,
        Input::EofKept,
        Input::EofRefused,
        Input::LoseConnection,
        Input::LoseWrite,
        Input::Abort,
        Input::Flushed,
        Input::OutboxFull,
        Input::StreamingProducer,
        Input::PullProducer,
        Input::NoProducer,
        Input::Failed(104),
        Input::HookRaised,
    ];

    fn step(state: &mut State, input: Input) -> Vec<Action> {
        state.apply(input).into_iter().collect()
    }

    /// Applies all inputs to a fresh stream; returns it and what the last one brought.
    fn after(inputs: &[Input]) -> (State, Vec<Action>) {
        let mut state = State::default();
        let last = inputs.iter().map(|input| step(&mut state, *input)).last();
        (state, last.unwrap_or_default())
    }

    fn reachable() -> HashSet<State> {
        let (mut seen, mut open) = (HashSet::from([State::new()]), vec![State::new()]);
        while let Some(state) = open.pop() {
            for input in INPUTS {
                let mut next = state;
                let _ = next.apply(input);
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    }

    #[test]
    fn the_rows_of_the_table_are_those_of_the_inputs() {
        for (row, input) in INPUTS.into_iter().enumerate() {
            assert_eq!(input.row(), row);
            assert!(format!("{input:?}").starts_with(TABLE[row].0));
        }
        assert_eq!(size_of::<State>(), 4);
    }

    #[test]
    fn whatever_happens_the_invariants_hold() {
        let states = reachable();
        assert!(states.len() > 50, "{}", states.len());
        for state in states {
            for input in INPUTS {
                let mut next = state;
                let actions = step(&mut next, input);
                let rule = TABLE[input.row()].1[state.life as usize];
                let case = format!("{state:?} {input:?} -> {next:?} {actions:?}");
                if rule == Ignore {
                    assert!(
                        next == state && actions.is_empty(),
                        "ignored means nothing happens: {case}"
                    );
                }
                assert!(next.life as u8 >= state.life as u8, "no way back: {case}");
                let closes = actions
                    .iter()
                    .filter(|action| matches!(action, Action::Close(_)))
                    .count();
                let moved_in = usize::from(next.is_closed() && !state.is_closed());
                assert_eq!(closes, moved_in, "one close for the move to Closed: {case}");
                if closes == 1 {
                    let behind = actions
                        .iter()
                        .skip_while(|action| !matches!(action, Action::Close(_)))
                        .skip(1);
                    let stops = state.producer != Producer::None;
                    assert!(behind.eq(stops.then_some(&Action::StopProducer)), "{case}");
                }
                if actions.contains(&Action::StartReading) {
                    assert!(next.is_reading(), "{case}");
                }
                if actions
                    .iter()
                    .any(|action| matches!(action, Action::ShutWrite))
                {
                    assert!(state.accepts_writes() && !next.accepts_writes(), "{case}");
                }
                if next.is_draining() {
                    assert!(
                        !next.is_reading()
                            && next.accepts_writes() == (next.write != WriteHalf::Shut),
                        "{case}"
                    );
                }
                let pauses = actions.contains(&Action::PauseProducer);
                assert_eq!(
                    pauses,
                    state.producer == Producer::Free && next.producer == Producer::Paused,
                    "{case}"
                );
            }
        }
    }

    #[test]
    fn from_every_state_a_stream_can_be_ended() {
        for state in reachable() {
            let mut aborted = state;
            let mut actions = step(&mut aborted, Input::Abort);
            actions.extend(step(&mut aborted, Input::Flushed));
            assert!(aborted.is_closed(), "{state:?}");
            assert_eq!(
                actions.contains(&Action::Close(CloseReason::Aborted)),
                !state.is_closed()
            );
            let mut closed = state;
            for input in [Input::LoseConnection, Input::NoProducer, Input::Flushed] {
                let _ = closed.apply(input);
            }
            assert!(closed.is_closed(), "{state:?}");
        }
    }

    #[test]
    fn closed_is_final_and_a_late_producer_is_told() {
        for mut state in reachable().into_iter().filter(|state| state.is_closed()) {
            let before = state;
            for input in INPUTS {
                let late = matches!(input, Input::StreamingProducer | Input::PullProducer);
                let expected: &[Action] = if late { &[Action::StopProducer] } else { &[] };
                assert_eq!(step(&mut state, input), expected);
                assert_eq!(state, before);
            }
            assert!(!state.accepts_writes() && !state.is_reading() && !state.is_aborting());
        }
    }

    #[test]
    fn losing_the_connection_sends_what_is_written_before_and_after() {
        let (state, actions) = after(&[Input::LoseConnection]);
        assert_eq!(actions, [Action::StopReading, Action::Flush]);
        assert!(state.accepts_writes() && state.is_draining() && !state.is_reading());
        let (_, actions) = after(&[Input::LoseConnection, Input::Resume]);
        assert!(actions.is_empty(), "reading does not start again");
        let (_, actions) = after(&[
            Input::LoseConnection,
            Input::LoseConnection,
            Input::LoseWrite,
            Input::Flushed,
        ]);
        assert_eq!(actions, [Action::Close(CloseReason::Done)]);
    }

    #[test]
    fn an_end_of_the_peer_while_draining_is_not_delivered_and_stops_nothing() {
        let (state, actions) = after(&[Input::LoseConnection, Input::PeerEof]);
        assert!(actions.is_empty() && state.accepts_writes());
        let (_, actions) = after(&[Input::LoseConnection, Input::PeerEof, Input::Flushed]);
        assert_eq!(actions, [Action::Close(CloseReason::Done)]);
    }

    #[test]
    fn a_waiting_producer_keeps_the_stream_and_a_free_one_does_not() {
        let (_, actions) = after(&[Input::PullProducer]);
        assert_eq!(
            actions,
            [Action::ResumeProducer],
            "asked for its first piece"
        );
        let (_, actions) = after(&[Input::PullProducer, Input::LoseConnection, Input::Flushed]);
        assert_eq!(actions, [Action::ResumeProducer]);
        let (_, actions) = after(&[
            Input::PullProducer,
            Input::LoseConnection,
            Input::Flushed,
            Input::NoProducer,
        ]);
        assert_eq!(actions, [Action::Flush]);
        let (_, actions) = after(&[
            Input::StreamingProducer,
            Input::LoseConnection,
            Input::Flushed,
        ]);
        assert_eq!(
            actions,
            [Action::Close(CloseReason::Done), Action::StopProducer]
        );
        let paused = [
            Input::StreamingProducer,
            Input::OutboxFull,
            Input::LoseConnection,
            Input::Flushed,
            Input::Flushed,
        ];
        assert_eq!(after(&paused[..2]).1, [Action::PauseProducer]);
        assert_eq!(after(&paused[..4]).1, [Action::ResumeProducer]);
        assert_eq!(
            after(&paused).1,
            [Action::Close(CloseReason::Done), Action::StopProducer]
        );
    }

    #[test]
    fn a_full_outbox_pauses_a_streaming_producer_once_until_it_is_empty() {
        let (state, actions) = after(&[Input::StreamingProducer]);
        assert!(actions.is_empty() && state.has_free_producer());
        let (state, actions) = after(&[
            Input::StreamingProducer,
            Input::OutboxFull,
            Input::OutboxFull,
        ]);
        assert!(actions.is_empty() && !state.has_free_producer());
        let (_, actions) = after(&[
            Input::StreamingProducer,
            Input::OutboxFull,
            Input::Flushed,
            Input::Flushed,
        ]);
        assert!(actions.is_empty());
        for alone in [
            &[Input::OutboxFull][..],
            &[Input::PullProducer, Input::OutboxFull],
        ] {
            assert!(after(alone).1.is_empty());
        }
    }

    #[test]
    fn losing_the_write_half_shuts_it_once_everything_is_sent() {
        let (state, actions) = after(&[Input::LoseWrite]);
        assert_eq!(actions, [Action::Flush]);
        assert!(state.accepts_writes() && state.is_reading());
        let (state, actions) = after(&[Input::LoseWrite, Input::Flushed]);
        assert_eq!(actions, [Action::ShutWrite, Action::DeliverWriteClosed]);
        assert!(!state.accepts_writes() && state.is_reading());
        assert!(
            after(&[Input::LoseWrite, Input::Flushed, Input::LoseWrite])
                .1
                .is_empty()
        );
        let (_, actions) = after(&[Input::PullProducer, Input::LoseWrite, Input::NoProducer]);
        assert_eq!(actions, [Action::Flush]);
    }

    #[test]
    fn both_halves_closed_is_done_in_either_order() {
        let (_, actions) = after(&[
            Input::LoseWrite,
            Input::Flushed,
            Input::PeerEof,
            Input::EofKept,
        ]);
        assert_eq!(actions, [Action::Close(CloseReason::Done)]);
        let other = [
            Input::PeerEof,
            Input::EofKept,
            Input::LoseWrite,
            Input::Flushed,
            Input::Flushed,
        ];
        assert_eq!(
            after(&other[..4]).1,
            [Action::ShutWrite, Action::DeliverWriteClosed, Action::Flush]
        );
        assert_eq!(after(&other).1, [Action::Close(CloseReason::Done)]);
        let raised = [&other[..4], &[Input::HookRaised]].concat();
        assert_eq!(after(&raised).1, [Action::Close(CloseReason::Raised)]);
    }

    #[test]
    fn the_end_of_the_peer_is_told_once_and_ends_whom_it_does_not_suit() {
        let (state, actions) = after(&[Input::PeerEof]);
        assert_eq!(actions, [Action::StopReading, Action::DeliverEof]);
        assert!(state.accepts_writes() && !state.is_reading());
        assert!(after(&[Input::PeerEof, Input::PeerEof]).1.is_empty());
        assert!(
            after(&[Input::PeerEof, Input::EofKept, Input::Resume])
                .1
                .is_empty(),
            "nothing is left to be read"
        );
        assert_eq!(
            after(&[Input::PeerEof, Input::EofRefused]).1,
            [Action::Close(CloseReason::Done)]
        );
        let (_, actions) = after(&[
            Input::PeerEof,
            Input::LoseConnection,
            Input::EofKept,
            Input::Flushed,
        ]);
        assert_eq!(
            actions,
            [Action::Close(CloseReason::Done)],
            "a hook that closes is obeyed"
        );
    }

    #[test]
    fn reasons_beat_each_other_in_their_order() {
        for (inputs, reason) in [
            (&[Input::Failed(32)][..], CloseReason::Lost(32)),
            (
                &[Input::LoseConnection, Input::Failed(32)],
                CloseReason::Lost(32),
            ),
            (
                &[Input::LoseConnection, Input::Abort, Input::Flushed],
                CloseReason::Aborted,
            ),
            (&[Input::Abort, Input::Failed(32)], CloseReason::Aborted),
            (&[Input::Abort, Input::HookRaised], CloseReason::Raised),
            (
                &[Input::LoseConnection, Input::HookRaised],
                CloseReason::Raised,
            ),
        ] {
            assert_eq!(after(inputs).1, [Action::Close(reason)], "{inputs:?}");
        }
        let (state, actions) = after(&[Input::LoseConnection, Input::Abort]);
        assert_eq!(
            actions,
            [Action::StopReading, Action::ClearOutbox, Action::Flush]
        );
        assert!(state.is_aborting() && !state.accepts_writes());
        assert!(after(&[Input::Abort, Input::Abort]).1.is_empty());
    }

    #[test]
    fn pausing_and_resuming_say_what_changes() {
        assert_eq!(after(&[Input::Pause]).1, [Action::StopReading]);
        assert!(after(&[Input::Pause, Input::Pause]).1.is_empty());
        assert_eq!(
            after(&[Input::Pause, Input::Resume]).1,
            [Action::StartReading]
        );
        assert!(after(&[Input::Resume]).1.is_empty());
        assert!(Actions::default().is_empty() && Actions::NONE.is_empty());
        assert!(!Actions::one(Action::Flush).is_empty());
    }

    proptest! {
        #[test]
        fn over_a_whole_life_each_last_thing_happens_once(
            script in proptest::collection::vec(proptest::sample::select(&INPUTS[..]), 0..60)
        ) {
            let mut state = State::new();
            let all: Vec<Action> = script.into_iter().flat_map(|input| step(&mut state, input)).collect();
            let count = |test: fn(&Action) -> bool| all.iter().filter(|action| test(action)).count();
            prop_assert_eq!(count(|action| matches!(action, Action::Close(_))), usize::from(state.is_closed()));
            prop_assert!(count(|action| *action == Action::DeliverEof) <= 1);
            prop_assert!(count(|action| *action == Action::DeliverWriteClosed) <= 1);
            prop_assert!(count(|action| *action == Action::ClearOutbox) <= 1);
            let closed = all.iter().position(|action| matches!(action, Action::Close(_))).unwrap_or(all.len());
            prop_assert!(all.iter().skip(closed + 1).all(|action| *action == Action::StopProducer));
        }
    }
}
