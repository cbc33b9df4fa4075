//! Foreign descriptors: told of as long as they are ready, whatever their owner does with them.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    reason = "these are tests; clippy's own exception ends at the #[test] function"
)]

mod util;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use torsion_reactor::{Token, Wants};
use util::limits::alone;
use util::{Seen, World};

const READ: Wants = Wants {
    read: true,
    write: false,
};

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket");
    (ours, theirs)
}

fn read(world: &World, token: Token, wanted: bool) {
    world
        .engine
        .want(token, |wants| wants.read = wanted)
        .expect("a descriptor that can be watched");
}

fn write(world: &World, token: Token, wanted: bool) {
    world
        .engine
        .want(token, |wants| wants.write = wanted)
        .expect("a descriptor that can be watched");
}

/// How often the watch was told, in this many turns.
fn told(world: &World, token: Token, turns: u32) -> Vec<Wants> {
    world.seen.borrow_mut().clear();
    for _ in 0..turns {
        world.poll();
    }
    let seen = world.seen.borrow();
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Ready(of, ready) if *of == token => Some(*ready),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_not_read_is_told_of_in_each_turn() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (mut ours, mut theirs) = pair();
    let token = world.watch(ours.as_raw_fd());
    read(&world, token, true);
    assert_eq!(told(&world, token, 3), [], "nothing to read yet");
    theirs.write_all(b"ab").expect("a peer");
    assert_eq!(told(&world, token, 3), [READ; 3]);
    let mut byte = [0];
    ours.read_exact(&mut byte).expect("the first of two");
    assert_eq!(told(&world, token, 2), [READ; 2], "one is left");
    ours.read_exact(&mut byte).expect("the second");
    // The poller was armed before that was read.
    told(&world, token, 1);
    assert_eq!(told(&world, token, 3), []);
    world.must_be_idle();
}

#[test]
fn reading_and_writing_share_one_registration() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (ours, mut theirs) = pair();
    let token = world.watch(ours.as_raw_fd());
    write(&world, token, true);
    let both = Wants {
        read: true,
        write: true,
    };
    read(&world, token, true);
    theirs.write_all(b"a").expect("a peer");
    told(&world, token, 2);
    assert_eq!(told(&world, token, 1), [both]);
    write(&world, token, false);
    told(&world, token, 1);
    assert_eq!(told(&world, token, 1), [READ]);
    read(&world, token, false);
    assert_eq!(told(&world, token, 2), []);
    world.must_be_idle();
    read(&world, token, true);
    assert_eq!(told(&world, token, 1), [READ], "it is still there");
}

#[test]
fn an_end_is_told_to_who_reads_and_to_who_writes() {
    let _alone = alone();
    for (reading, writing) in [(true, false), (false, true)] {
        let world = World::new();
        let (ours, theirs) = pair();
        let token = world.watch(ours.as_raw_fd());
        drop(theirs);
        if reading {
            read(&world, token, true);
        }
        if writing {
            write(&world, token, true);
        }
        let wants = Wants {
            read: reading,
            write: writing,
        };
        assert_eq!(told(&world, token, 2), [wants; 2]);
    }
}

#[test]
fn a_regular_file_is_always_ready() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let file = File::open("Cargo.toml").expect("the crate's own manifest");
    let token = world.watch(file.as_raw_fd());
    read(&world, token, true);
    assert_eq!(told(&world, token, 3), [READ; 3]);
    read(&world, token, false);
    assert_eq!(told(&world, token, 2), []);
    world.must_be_idle();
}

#[test]
fn a_closed_descriptor_is_refused_at_once_or_told_of() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (ours, _theirs) = pair();
    let descriptor = ours.as_raw_fd();
    let token = world.watch(descriptor);
    read(&world, token, true);
    drop(ours);
    write(&world, token, true);
    world.poll();
    assert!(matches!(
        world.seen.borrow()[..],
        [Seen::WatchFailed(of, _)] if of == token
    ));
    let refused = world.engine.want(token, |wants| wants.read = true);
    assert_eq!(
        refused.expect_err("it is closed").raw_os_error(),
        Some(libc::EBADF)
    );
    world.must_be_idle();
}

/// The descriptor is closed without a word, and its number becomes that of one of the engine's own streams.
#[test]
fn a_number_that_became_a_streams_is_left_alone() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (listener, address) = world.listen();
    let (ours, _theirs) = pair();
    let number = ours.as_raw_fd();
    let token = world.watch(number);
    read(&world, token, true);
    world.poll();
    let mut peer = std::net::TcpStream::connect(address).expect("a listener");
    drop(ours);
    world.until("a connection", |world| {
        world
            .seen
            .borrow()
            .iter()
            .any(|seen| matches!(seen, Seen::Accepted(of, _) if *of == listener))
    });
    drop(world.engine.discard(token));
    world.poll();
    peer.write_all(b"still heard").expect("a stream");
    world.until("bytes", |world| {
        world
            .seen
            .borrow()
            .iter()
            .any(|seen| matches!(seen, Seen::Data(_, data) if **data == *b"still heard"))
    });
}

/// As long as a duplicate is open, the system tells of a descriptor that is closed; nobody is told here.
#[test]
fn a_duplicate_that_lives_on_wakes_nobody() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (ours, mut theirs) = pair();
    let number = ours.as_raw_fd();
    let token = world.watch(number);
    read(&world, token, true);
    world.poll();
    let twin: OwnedFd = ours.try_clone().expect("a descriptor").into();
    drop(ours);
    drop(world.engine.discard(token));
    theirs.write_all(b"a").expect("a peer");
    assert_eq!(told(&world, token, 3), []);
    world.must_be_idle();
    drop(twin);
}

#[test]
fn a_turn_within_the_hook_leaves_the_watch_alone() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (ours, mut theirs) = pair();
    let token = world.watch(ours.as_raw_fd());
    read(&world, token, true);
    theirs.write_all(b"a").expect("a peer");
    world.once(
        |seen| matches!(seen, Seen::Ready(..)),
        |world, _| {
            let before = world.seen.borrow().len();
            world.poll();
            world.poll();
            assert_eq!(world.seen.borrow().len(), before, "it is being served");
        },
    );
    assert_eq!(told(&world, token, 1), [READ]);
    assert_eq!(told(&world, token, 1), [READ]);
}

#[test]
fn a_watch_ended_by_its_own_hook_is_not_told_again() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (ours, mut theirs) = pair();
    let token = world.watch(ours.as_raw_fd());
    read(&world, token, true);
    theirs.write_all(b"a").expect("a peer");
    world.on(move |world, seen| {
        if matches!(seen, Seen::Ready(..)) {
            drop(world.engine.discard(token));
        }
    });
    assert_eq!(told(&world, token, 3), [READ]);
    world.must_be_idle();
}

#[test]
fn an_engine_that_closes_leaves_the_descriptor_open() {
    let _alone = alone(); // numbers of descriptors are everybody's
    let world = World::new();
    let (ours, mut theirs) = pair();
    let token = world.watch(ours.as_raw_fd());
    read(&world, token, true);
    drop(world.engine.close());
    theirs.write_all(b"a").expect("a peer");
    let mut byte = [0];
    (&ours).read_exact(&mut byte).expect("an open socket");
    world.must_be_idle();
    let again = world.watch(ours.as_raw_fd());
    read(&world, again, true);
    theirs.write_all(b"b").expect("a peer");
    assert_eq!(told(&world, again, 1), [READ]);
}
