//! Secured streams under any order of events: whatever is written arrives, whole and in order, and every end is told once.

#[path = "util/tls.rs"]
mod tls;
mod util;

use proptest::prelude::*;
use tls::{House, ONLY_12, ONLY_13, pattern};
use torsion_reactor::CloseReason;
use util::{Seen, World};

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The peer writes so many bytes.
    Say(usize),
    /// We do.
    Write(usize),
    Pause,
    Resume,
    /// The peer sends and receives.
    Pump,
    /// The peer's next bytes leave in pieces of this size.
    Step(usize),
    /// The peer stops reading, or reads again.
    Deafen(bool),
    /// The peer renews its key, and asks us to.
    Renew,
    Turn,
}

fn event() -> impl Strategy<Value = Event> {
    let size = prop_oneof![1..64_usize, 1..40_000_usize, Just(300_000_usize)];
    prop_oneof![
        4 => size.clone().prop_map(Event::Say),
        4 => size.prop_map(Event::Write),
        1 => Just(Event::Pause),
        2 => Just(Event::Resume),
        4 => Just(Event::Pump),
        1 => (1..5000_usize).prop_map(Event::Step),
        1 => any::<bool>().prop_map(Event::Deafen),
        1 => Just(Event::Renew),
        6 => Just(Event::Turn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_arrives(
        server in any::<bool>(),
        modern in any::<bool>(),
        ours_first in any::<bool>(),
        events in prop::collection::vec(event(), 1..60),
    ) {
        let (world, house) = (World::new(), House::new());
        let versions = if modern { ONLY_13 } else { ONLY_12 };
        let (stream, mut peer) = if server {
            world.tls_pair(&house.server(), house.peer_client(versions))
        } else {
            world.tls_client(&house.client(), house.peer_server(versions))
        };
        let (mut said, mut written) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Say(size) => {
                    let bytes = pattern(size);
                    peer.say(&bytes);
                    said.extend(bytes);
                }
                Event::Write(size) => {
                    let bytes = pattern(size);
                    world.write(stream, &bytes);
                    written.extend(bytes);
                }
                Event::Pause => world.engine.pause(stream),
                Event::Resume => world.engine.resume(stream),
                Event::Pump => peer.pump(),
                // A socket that takes no more would lose the rest of a step.
                Event::Step(size) if said.len() < 50_000 => peer.step.set(size),
                Event::Deafen(deaf) => peer.reads = !deaf,
                Event::Renew if modern && !peer.tls.is_handshaking() => {
                    peer.tls.refresh_traffic_keys().unwrap();
                }
                Event::Step(_) | Event::Renew => {}
                Event::Turn => world.poll(),
            }
            if said.len() >= 50_000 {
                peer.step.set(usize::MAX);
            }
        }
        peer.reads = true;
        peer.step.set(usize::MAX);
        world.engine.resume(stream);
        peer.until(&world, "all bytes", |world, peer| {
            peer.plain.len() >= written.len() && world.received(stream).len() >= said.len()
        });
        prop_assert!(peer.plain == written, "ours");
        prop_assert!(world.received(stream) == said, "the peer's");
        peer.until_secured(&world, stream);
        if ours_first {
            world.engine.lose(stream);
            peer.until(&world, "our farewell", |_, peer| peer.farewell);
            peer.tls.send_close_notify();
        } else {
            peer.tls.send_close_notify();
        }
        prop_assert_eq!(peer.until_lost(&world, stream), CloseReason::Done);
        world.must_be_idle();
        prop_assert_eq!(world.count(|seen| matches!(seen, Seen::Lost(..))), 1);
        prop_assert_eq!(world.engine.next_deadline(), None);
    }
}
