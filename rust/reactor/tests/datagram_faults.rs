//! Datagram sockets: what goes wrong, and who else holds them.

#![cfg(target_os = "linux")]

mod util;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use torsion_reactor::Address;
use util::datagram::{ANY, hear, is_datagram, peer_of};
use util::limits::{Famine, alone, open_descriptors};
use util::{PATIENCE, Seen, World, panic_on_purpose};

/// An address of the loopback at which no test listens but where it says so.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 0, 0, 9), 0);

const REFUSED: i32 = 111;
const TOO_LONG: i32 = 90;
const BAD_DESCRIPTOR: i32 = 9;
const SHUT: i32 = 32;

#[test]
fn a_panic_costs_one_datagram_and_not_the_socket() {
    let _alone = alone();
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peer = peer_of(&address);
    world.once(is_datagram, |_, _| panic_on_purpose());
    peer.send(b"first").expect("sent");
    world.until_heard(socket, 1);
    for _ in 0..2 {
        peer.send(b"next").expect("sent");
    }
    assert_eq!(world.until_heard(socket, 3).len(), 3);
    assert_eq!(world.panics(), [(None, "on purpose".to_owned())]);
    world.must_be_idle();
}

#[test]
fn a_connected_socket_hears_of_refusals_and_sends_on() {
    let _alone = alone();
    let world = World::new();
    let (socket, _) = world.bind_any();
    let deaf = UdpSocket::bind(ELSEWHERE).expect("a port");
    let address = deaf.local_addr().expect("bound");
    drop(deaf);
    world.connect_datagram(socket, &address.into());
    world.send(socket, b"one", None);
    // The network's answer is there already: the next is sent all the same, and the refusal is told later.
    world.send(socket, b"two", None);
    assert_eq!(world.take_seen(), []);
    world.until("the refusal", |world| {
        world.has_seen(&Seen::DatagramFailed(socket, REFUSED))
    });
    world.must_be_idle();

    let peer = UdpSocket::bind(address).expect("the same port");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    world.send(socket, b"there", None);
    assert_eq!(hear(&peer), b"there");
    let refused = world.count(|seen| matches!(seen, Seen::DatagramFailed(..)));
    assert!((1..=2).contains(&refused), "{refused}");
}

#[test]
fn a_refusal_that_nobody_writes_into_is_told_as_well() {
    let _alone = alone();
    let world = World::new();
    let (socket, _) = world.bind_any();
    let deaf = UdpSocket::bind(ELSEWHERE).expect("a port");
    let address = deaf.local_addr().expect("bound");
    drop(deaf);
    world.connect_datagram(socket, &address.into());
    world.send(socket, b"one", None);
    world.until("the refusal", |world| {
        world.has_seen(&Seen::DatagramFailed(socket, REFUSED))
    });
    world.must_be_idle();
}

#[test]
fn what_the_system_refuses_to_send_is_told_where_it_was_written() {
    let _alone = alone();
    let world = World::new();
    let (socket, address) = world.bind_any();
    let sent = world
        .engine
        .send_datagram(socket, &[0; 70_000], Some(&address));
    assert_eq!(
        sent.expect("open").expect_err("too long").raw_os_error(),
        Some(TOO_LONG)
    );
    let everybody = Address::from(SocketAddr::from((Ipv4Addr::BROADCAST, 9)));
    assert!(
        world
            .engine
            .send_datagram(socket, b"all", Some(&everybody))
            .expect("open")
            .is_err()
    );
    let sent = world.engine.send_datagram(socket, b"whom?", None);
    assert!(sent.expect("open").is_err());
    world.must_be_idle();
}

#[test]
fn a_descriptor_closed_behind_our_back_is_told_and_never_closed_again() {
    let _alone = alone();
    let world = World::new();
    let (socket, address) = world.bind_any();
    let number = world
        .engine
        .lend_datagram(socket, |socket| socket.as_raw_fd())
        .expect("open");
    // What a careless user does.
    #[expect(unsafe_code, reason = "a fault that is lived through")]
    // SAFETY: the engine's socket is the one that is closed, and the engine is what is tested.
    drop(unsafe { OwnedFd::from_raw_fd(number) });
    let sent = world.engine.send_datagram(socket, b"x", Some(&address));
    assert_eq!(
        sent.expect("open").expect_err("closed").raw_os_error(),
        Some(BAD_DESCRIPTOR)
    );
    world.until("the complaint", |world| {
        world.has_seen(&Seen::DatagramFailed(socket, BAD_DESCRIPTOR))
    });
    world.must_be_idle();
    drop(world.engine.discard(socket));
    world.must_be_idle();
}

#[test]
fn addresses_in_use_and_the_end_of_descriptors_are_errors() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.bind_any();
    let error = world
        .engine
        .bind_datagram(&address, false, 1)
        .expect_err("in use");
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot bind to {address}: ")),
        "{error}"
    );
    let famine = Famine::begin();
    let any = SocketAddr::from(ANY).into();
    assert!(world.engine.bind_datagram(&any, false, 1).is_err());
    drop(famine);
    assert!(world.engine.bind_datagram(&any, false, 1).is_ok());
}

#[test]
fn with_reuse_two_sockets_have_one_address() {
    let _alone = alone();
    let world = World::new();
    let local = SocketAddr::from(ANY).into();
    let first = world.engine.bind_datagram(&local, true, 1).expect("a port");
    let address = world.engine.datagram(first, |datagram| datagram.address());
    let address = address.expect("open").expect("bound");
    assert!(world.engine.bind_datagram(&address, true, 1).is_ok());
    assert!(world.engine.bind_datagram(&address, false, 1).is_err());
}

#[test]
fn an_adopted_socket_serves_and_its_twin_outlives_it() {
    let _alone = alone();
    let world = World::new();
    let twin = UdpSocket::bind(ANY).expect("a port");
    let address = Address::from(twin.local_addr().expect("bound"));
    let token = world
        .engine
        .adopt_datagram(twin.try_clone().expect("a descriptor").into(), 8192)
        .expect("a datagram socket");
    world.own_datagram(token);
    let peer = peer_of(&address);
    peer.send(b"one").expect("sent");
    world.until_heard(token, 1);
    drop(world.engine.discard(token));
    peer.send(b"two").expect("sent");
    world.must_be_idle();
    assert_eq!(twin.recv(&mut [0; 8]).expect("a datagram"), 3);

    let stream = std::net::TcpListener::bind(ANY).expect("a port");
    let before = open_descriptors();
    let taken = stream.try_clone().expect("a descriptor").into();
    assert!(
        world.engine.adopt_datagram(taken, 1).is_err(),
        "no datagram socket"
    );
    assert_eq!(open_descriptors(), before);
}

#[test]
fn a_unix_peer_that_is_gone_refuses_and_one_that_is_full_loses() {
    let _alone = alone();
    let name = Address::Unix(
        format!("\0torsion-gone-{}", std::process::id())
            .into_bytes()
            .into(),
    );
    let world = World::new();
    let (server, _) = world.bind(name.clone());
    world.engine.pause_datagram(server, true);
    let (client, _) = world.bind(Address::unnamed());
    world.connect_datagram(client, &name);
    let mut sent = 0;
    let dropped = loop {
        world.send(client, b"x", None);
        sent += 1;
        let figures = world
            .engine
            .datagram(client, |datagram| datagram.statistics());
        let figures = figures.expect("open");
        if figures.datagrams_dropped > 0 {
            break figures;
        }
        assert!(sent < 100_000, "its queue is endless");
    };
    assert_eq!(dropped.datagrams_written + 1, sent);
    drop(world.engine.discard(server));
    world.send(client, b"x", None);
    world.until("the refusal", |world| {
        world.has_seen(&Seen::DatagramFailed(client, REFUSED))
    });
    let (other, _) = world.bind(Address::unnamed());
    let sent = world.engine.send_datagram(other, b"x", Some(&name));
    assert_eq!(
        sent.expect("open").expect_err("nobody").raw_os_error(),
        Some(REFUSED)
    );
}

#[test]
fn closing_the_engine_lets_go_of_everything() {
    let _alone = alone();
    let before = open_descriptors();
    {
        let world = World::new();
        world.bind_any();
        world.bind_any();
        assert_eq!(world.handles(), 2);
        drop(world.engine.close());
        assert_eq!(
            (world.handles(), world.engine.statistics().descriptors),
            (0, 0)
        );
        world.bind_any();
    }
    assert_eq!(open_descriptors(), before);
}

#[test]
fn answers_that_cannot_be_sent_are_told_one_by_one() {
    let _alone = alone();
    let world = World::new();
    let (socket, address) = world.bind_any();
    let peers = [peer_of(&address), peer_of(&address)];
    world.on(|world, seen| {
        if let Seen::Datagram(socket, bytes, _) = seen {
            world.engine.answer(*socket, bytes.to_vec()).expect("kept");
            if **bytes == *b"shut" {
                // Neither this answer nor the one before can leave, and none after them.
                let shut = |socket: torsion_reactor::SockRef<'_>| {
                    let me = socket.local_addr().expect("bound");
                    socket.connect(&me).expect("itself");
                    socket.shutdown(std::net::Shutdown::Write).expect("open");
                };
                world
                    .engine
                    .datagram(*socket, |datagram| shut(datagram.socket()));
            }
        }
    });
    for (peer, word) in [(&peers[0], "one"), (&peers[1], "shut")] {
        peer.send(word.as_bytes()).expect("sent");
    }
    let told = |world: &World| {
        world.count(|seen| matches!(seen, Seen::AnswerFailed(told, _, _) if *told == socket))
    };
    world.until("the complaints", |world| told(world) == 2);
    for peer in &peers {
        let to = peer.local_addr().expect("bound");
        assert!(world.has_seen(&Seen::AnswerFailed(socket, to, SHUT)));
    }
    world.must_be_idle();
}
