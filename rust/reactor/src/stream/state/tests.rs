//! The table, proved over every state that a stream can come to.

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
fn who_is_deaf_never_hears_again() {
    for state in reachable() {
        assert!(!(state.is_deaf() && state.is_reading()), "{state:?}");
        for input in INPUTS {
            let mut next = state;
            let _ = next.apply(input);
            assert!(next.is_deaf() || !state.is_deaf(), "{state:?} {input:?}");
        }
    }
    assert!(!after(&[Input::Pause]).0.is_deaf());
    for input in [Input::PeerEof, Input::LoseConnection, Input::Abort] {
        assert!(after(&[input]).0.is_deaf(), "{input:?}");
    }
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
                    !next.is_reading() && next.accepts_writes() == (next.write != WriteHalf::Shut),
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

#[test]
fn producers_come_and_go_while_the_stream_is_ending() {
    let streaming = [
        Input::LoseConnection,
        Input::StreamingProducer,
        Input::OutboxFull,
    ];
    assert_eq!(after(&streaming).1, [Action::PauseProducer]);
    assert_eq!(
        after(&[Input::LoseConnection, Input::PullProducer]).1,
        [Action::ResumeProducer]
    );
    let stopped = [Action::Close(CloseReason::Aborted), Action::StopProducer];
    for late in [Input::StreamingProducer, Input::PullProducer] {
        assert_eq!(after(&[Input::Abort, late, Input::Flushed]).1, stopped);
    }
    let gone = [
        Input::StreamingProducer,
        Input::Abort,
        Input::NoProducer,
        Input::Flushed,
    ];
    assert_eq!(after(&gone).1, stopped[..1]);
}
