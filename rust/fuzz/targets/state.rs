//! The state table of a stream: what no order of events may bring about.

#![no_main]

use libfuzzer_sys::fuzz_target;
use torsion_reactor::stream::state::{Action, Input, State};

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

fuzz_target!(|events: &[u8]| {
    let mut state = State::new();
    let (mut closes, mut ends, mut shuts) = (0, 0, 0);
    for event in events {
        let before = state;
        for action in state.apply(INPUTS[usize::from(*event) % INPUTS.len()]) {
            // After the end, a producer that comes too late is told so, and nothing else happens.
            assert!(
                !before.is_closed() || action == Action::StopProducer,
                "{action:?}: {before:?}"
            );
            match action {
                Action::Close(_) => closes += 1,
                Action::DeliverEof => ends += 1,
                Action::ShutWrite => shuts += 1,
                Action::StartReading => assert!(state.is_reading()),
                _ => {}
            }
        }
        assert_eq!(closes, i32::from(state.is_closed()), "closed once");
        assert!(ends <= 1, "the peer's end is told once");
        assert!(shuts <= 1, "our half is shut once");
        assert!(
            before.accepts_writes() || !state.accepts_writes(),
            "writing does not come back"
        );
        assert!(
            !before.is_closed() || state.is_closed(),
            "the end is the end"
        );
    }
});
