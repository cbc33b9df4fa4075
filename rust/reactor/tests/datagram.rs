//! Datagram sockets: what comes in and goes out, in shares and in batches.

#![cfg(target_os = "linux")]

mod util;

use std::cell::Cell;
use std::net::{Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use torsion_reactor::clock::ManualClock;
use torsion_reactor::datagram::{ANSWER_LIMIT, BATCH, DATAGRAMS_PER_TURN};
use torsion_reactor::{Address, Discarded};
use util::datagram::{ANY, hear, is_datagram, peer_of};
use util::{Seen, World};

/// Has every datagram answered with its own bytes; those that are not kept for later leave at once.
fn echo(world: &World) {
    world.on(|world, seen| {
        if let Seen::Datagram(socket, bytes, from) = seen {
            if let Err(bytes) = world.engine.answer(*socket, bytes.to_vec()) {
                world.send(*socket, &bytes, Some(from));
            }
        }
    });
}

#[test]
fn whole_datagrams_arrive_with_their_senders_in_their_order() {
    for any in [SocketAddr::from(ANY), (Ipv6Addr::LOCALHOST, 0).into()] {
        let world = World::new();
        let (socket, address) = world.bind(any);
        let peer = peer_of(&address);
        for datagram in [&b"first"[..], b"", b"third"] {
            peer.send(datagram).expect("sent");
        }
        world.until("datagrams", |world| world.count(is_datagram) == 3);
        let from = Address::from(peer.local_addr().expect("bound"));
        let told = |bytes: &[u8]| Seen::Datagram(socket, bytes.into(), from.clone());
        assert_eq!(
            world.take_seen(),
            [told(b"first"), told(b""), told(b"third")]
        );
        world.must_be_idle();
    }
}

#[test]
fn what_there_is_no_room_for_is_cut_off_and_the_next_is_whole() {
    let world = World::new();
    let token = world
        .engine
        .bind_datagram(&SocketAddr::from(ANY).into(), false, 4)
        .expect("a port");
    world.own_datagram(token);
    let address = world.engine.datagram(token, |datagram| datagram.address());
    let peer = peer_of(&address.expect("open").expect("bound"));
    peer.send(b"too long").expect("sent");
    peer.send(b"next").expect("sent");
    assert_eq!(world.until_heard(token, 2), [b"too ", b"next"]);
}

#[test]
fn a_flood_takes_its_share_of_a_turn_and_no_more() {
    let world = World::new();
    let (flooded, address) = world.bind_any();
    let (quiet, quiet_address) = world.bind_any();
    let flood = peer_of(&address);
    for number in 0..2 * DATAGRAMS_PER_TURN + 1 {
        flood.send(&number.to_be_bytes()).expect("sent");
    }
    peer_of(&quiet_address).send(b"me too").expect("sent");
    let mut turns = 0;
    while world.heard(flooded).len() < 2 * DATAGRAMS_PER_TURN + 1 {
        world.turn();
        turns += 1;
        assert!(world.heard(flooded).len() <= turns * DATAGRAMS_PER_TURN);
        assert_eq!(world.heard(quiet).len(), 1, "not behind the flood");
    }
    let numbers: Vec<_> = (0..2 * DATAGRAMS_PER_TURN + 1)
        .map(|number| number.to_be_bytes().to_vec())
        .collect();
    assert_eq!(world.heard(flooded), numbers);
    world.must_be_idle();
}

#[test]
fn large_datagrams_take_their_share_by_their_bytes() {
    const SIZE: usize = 60_000;
    let world = World::new();
    let local = SocketAddr::from(ANY).into();
    let token = world
        .engine
        .bind_datagram(&local, false, 65_536)
        .expect("a port");
    world.own_datagram(token);
    let address = world.engine.datagram(token, |datagram| {
        datagram
            .socket()
            .set_recv_buffer_size(4 << 20)
            .expect("set");
        datagram.address()
    });
    let peer = peer_of(&address.expect("open").expect("bound"));
    let sent = (0..20)
        .take_while(|_| peer.send(&[7; SIZE]).is_ok())
        .count();
    world.turn();
    let first = world.heard(token).len();
    assert!(first <= 8, "{first} of {SIZE} bytes each in one turn");
    // The system's own buffer may be too small for all of them.
    world.until("the others", |world| {
        let before = world.heard(token).len();
        world.turn();
        world.heard(token).len() == before
    });
    assert!(world.heard(token).len() <= sent);
    assert!(
        world
            .heard(token)
            .iter()
            .all(|datagram| datagram.len() == SIZE)
    );
}

#[test]
fn answers_leave_together_behind_the_batch_and_in_order() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peers = [peer_of(&address), peer_of(&address)];
    for round in 0..4u8 {
        for (index, peer) in (0..).zip(&peers) {
            peer.send(&[round, index]).expect("sent");
        }
    }
    let early = Rc::new(Cell::new(0));
    let count = Rc::clone(&early);
    let watch = peers[0].try_clone().expect("a descriptor");
    watch.set_nonblocking(true).expect("set");
    world.on(move |world, seen| {
        if let Seen::Datagram(socket, bytes, _) = seen {
            world.engine.answer(*socket, bytes.to_vec()).expect("kept");
            count.set(count.get() + usize::from(watch.peek(&mut [0; 4]).is_ok()));
        }
    });
    world.until_heard(socket, 8);
    assert_eq!(early.get(), 0, "none leaves before the batch is delivered");
    for (index, peer) in (0..).zip(&peers) {
        peer.set_nonblocking(false).expect("set");
        assert_eq!(
            [0; 4].map(|_| hear(peer)),
            [0, 1, 2, 3].map(|round| vec![round, index])
        );
    }
    let figures = world
        .engine
        .settled_datagram(socket, |datagram| datagram.statistics());
    let figures = figures.expect("open");
    assert_eq!((figures.datagrams_read, figures.datagrams_written), (8, 8));
    assert_eq!((figures.bytes_read, figures.bytes_written), (16, 16));
}

#[test]
fn what_is_no_answer_keeps_its_place_behind_the_answers() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    world.on(|world, seen| {
        if let Seen::Datagram(socket, _, from) = seen {
            world
                .engine
                .answer(*socket, b"answer".to_vec())
                .expect("kept");
            world.send(*socket, b"other", Some(from));
            world
                .engine
                .answer(*socket, b"last".to_vec())
                .expect("kept");
        }
    });
    peer.send(b"?").expect("sent");
    world.until_heard(socket, 1);
    assert_eq!(
        [0; 3].map(|_| hear(&peer)),
        [&b"answer"[..], b"other", b"last"]
    );
}

#[test]
fn only_short_answers_to_what_is_being_delivered_are_kept() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    assert!(world.engine.answer(socket, b"to whom?".to_vec()).is_err());
    let peer = peer_of(&address);
    world.on(|world, seen| {
        if let Seen::Datagram(socket, _, _) = seen {
            assert!(world.engine.answer(*socket, vec![0; ANSWER_LIMIT]).is_ok());
            assert!(
                world
                    .engine
                    .answer(*socket, vec![0; ANSWER_LIMIT + 1])
                    .is_err()
            );
        }
    });
    peer.send(b"?").expect("sent");
    world.until_heard(socket, 1);
    assert_eq!(world.panics(), []);
    assert_eq!(hear(&peer).len(), ANSWER_LIMIT);
    assert!(world.engine.answer(socket, b"too late".to_vec()).is_err());
}

#[test]
fn one_hook_may_answer_as_often_as_it_likes() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    world.on(|world, seen| {
        if let Seen::Datagram(socket, _, _) = seen {
            for number in 0..3 * BATCH {
                world
                    .engine
                    .answer(*socket, vec![number as u8])
                    .expect("kept");
            }
        }
    });
    peer.send(b"?").expect("sent");
    world.until_heard(socket, 1);
    for number in 0..3 * BATCH {
        assert_eq!(hear(&peer), [number as u8]);
    }
}

#[test]
fn an_answer_does_not_wait_for_hooks_that_take_their_time() {
    let time = ManualClock::new();
    let world = World::with_clock(time.clone().into());
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    for _ in 0..3 {
        peer.send(b"?").expect("sent");
    }
    let listen = peer.try_clone().expect("a descriptor");
    let before = Rc::new(Cell::new(Vec::new()));
    let noted = Rc::clone(&before);
    listen.set_nonblocking(true).expect("set");
    world.on(move |world, seen| {
        if let Seen::Datagram(socket, bytes, _) = seen {
            let mut found = noted.take();
            found.push(listen.recv(&mut [0; 4]).is_ok());
            noted.set(found);
            world.engine.answer(*socket, bytes.to_vec()).expect("kept");
            time.advance(Duration::from_millis(1));
        }
    });
    world.until_heard(socket, 3);
    assert_eq!(before.take(), [false, true, true]);
}

#[test]
fn a_turn_within_a_hook_sends_the_answers_and_leaves_the_socket_alone() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    for _ in 0..2 {
        peer.send(b"?").expect("sent");
    }
    let listen = peer.try_clone().expect("a descriptor");
    listen.set_nonblocking(true).expect("set");
    world.once(is_datagram, move |world, seen| {
        if let Seen::Datagram(socket, bytes, _) = seen {
            world.engine.answer(*socket, bytes.to_vec()).expect("kept");
            let before = world.count(is_datagram);
            world.poll();
            assert_eq!(
                world.count(is_datagram),
                before,
                "not from within its own hook"
            );
            assert!(listen.recv(&mut [0; 4]).is_ok(), "the answer has left");
        }
    });
    world.until_heard(socket, 2);
    assert_eq!(world.panics(), []);
    world.must_be_idle();
}

#[test]
fn a_pause_keeps_what_was_taken_and_what_comes() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    for number in 0..5u8 {
        peer.send(&[number]).expect("sent");
    }
    world.once(is_datagram, |world, seen| {
        if let Seen::Datagram(socket, _, _) = seen {
            world.engine.pause_datagram(*socket, true);
        }
    });
    world.until_heard(socket, 1);
    peer.send(&[5]).expect("sent");
    world.must_be_idle();
    assert_eq!(world.heard(socket), [[0]]);
    world.engine.pause_datagram(socket, false);
    assert_eq!(world.until_heard(socket, 6), [[0], [1], [2], [3], [4], [5]]);
    world.must_be_idle();
}

#[test]
fn a_socket_closed_by_its_hook_delivers_no_more_and_sends_what_it_answered() {
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    for _ in 0..3 {
        peer.send(b"?").expect("sent");
    }
    world.once(is_datagram, |world, seen| {
        if let Seen::Datagram(socket, _, _) = seen {
            world.engine.answer(*socket, b"bye".to_vec()).expect("kept");
            assert!(matches!(
                world.engine.discard(*socket),
                Some(Discarded::Datagram(_))
            ));
            assert!(world.engine.send_datagram(*socket, b"?", None).is_none());
        }
    });
    world.until_heard(socket, 1);
    assert_eq!(hear(&peer), b"bye");
    world.must_be_idle();
    assert_eq!((world.count(is_datagram), world.handles()), (1, 0));
    assert_eq!(world.panics(), []);
}

#[test]
fn unix_sockets_have_paths_and_names_or_none() {
    let folder = std::env::temp_dir().join(format!("torsion-datagram-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| Address::Unix(folder.join(name).as_os_str().as_encoded_bytes().into());
    let abstract_name = format!("\0torsion-{}", std::process::id());
    let world = World::new();
    let (server, address) = world.bind(path("server"));
    assert_eq!(address, path("server"));
    echo(&world);
    let clients = [
        path("client"),
        Address::Unix(abstract_name.as_bytes().into()),
        Address::unnamed(),
    ];
    for name in clients {
        let (client, bound) = world.bind(name.clone());
        assert_eq!(bound, name);
        world.connect_datagram(client, &address);
        world.take_seen();
        if name == Address::unnamed() {
            world.on(|_, _| {}); // nobody to answer to
        }
        world.send(client, b"hello", None);
        world.until("a datagram", |world| {
            world.has_seen(&Seen::Datagram(server, (*b"hello").into(), name.clone()))
        });
        if name != Address::unnamed() {
            world.on(|_, _| {});
            world.until_heard(client, 1);
            echo(&world);
        }
        drop(world.engine.discard(client));
    }
    let long = Address::Unix([b'x'; 200].into());
    assert!(
        world.engine.bind_datagram(&long, false, 1).is_err(),
        "the path is too long"
    );
    std::fs::remove_dir_all(&folder).expect("the folder");
}
