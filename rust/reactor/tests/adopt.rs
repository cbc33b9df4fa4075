//! Sockets that were made elsewhere: taken over, given up, and left to their other holders.

#![cfg(target_os = "linux")]

mod util;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};

use torsion_reactor::{Address, CloseReason};
use util::unix::{Place, borrowed, files, send, tcp_pair};
use util::{Seen, World};

#[test]
fn connected_sockets_are_served() {
    let world = World::new();
    let (tcp, mut tcp_peer) = tcp_pair();
    let (unix, mut unix_peer) = UnixStream::pair().unwrap();
    tcp_peer.write_all(b"early").unwrap();
    let (tcp, unix) = (world.adopt(tcp), world.adopt(unix));
    unix_peer.write_all(b"later").unwrap();
    for stream in [tcp, unix] {
        world.until_received(stream, 5);
        world.write(stream, b"answer");
        world.engine.lose(stream);
        assert_eq!(world.until_lost(stream), CloseReason::Done);
    }
    let mut got = String::new();
    tcp_peer.read_to_string(&mut got).unwrap();
    unix_peer.read_to_string(&mut got).unwrap();
    assert_eq!(got, "answeranswer");
}

#[test]
fn a_unix_socket_passes_descriptors() {
    let world = World::new();
    let (near, far) = UnixStream::pair().unwrap();
    let stream = world.adopt(near);
    world.engine.want_descriptors(stream, true);
    send(&far, b"x", &borrowed(&files(2)));
    world.until_received(stream, 1);
    assert!(world.has_seen(&Seen::Passed(stream, 2)));
}

#[test]
fn senders_that_are_told_apart_are_all_read() {
    let world = World::new();
    let (near, far) = UnixStream::pair().unwrap();
    rustix::net::sockopt::set_socket_passcred(&near, true).unwrap();
    let stream = world.adopt(near);
    for _ in 0..5 {
        // Another process's words are not put together with ours, though no descriptor is among them.
        (&far).write_all(b"ours ").unwrap();
        let child = std::process::Command::new("echo")
            .arg("theirs")
            .stdout(std::os::fd::OwnedFd::from(far.try_clone().unwrap()))
            .status();
        assert!(child.unwrap().success());
    }
    world.until_received(stream, 5 * 12);
    assert_eq!(world.received(stream), b"ours theirs\n".repeat(5));
    assert_eq!(world.count(|seen| matches!(seen, Seen::Passed(..))), 0);
}

#[test]
fn closing_ends_the_connection_for_other_holders_and_is_forgotten() {
    let world = World::new();
    for _ in 0..3 {
        let (mut near, mut far) = tcp_pair();
        let stream = world.adopt(near.try_clone().unwrap());
        world.poll();
        world.engine.lose(stream);
        assert_eq!(world.until_lost(stream), CloseReason::Done);
        assert_eq!(far.read(&mut [0]).unwrap(), 0);
        near.set_nonblocking(false).unwrap();
        assert_eq!(near.read(&mut [0]).unwrap(), 0);
        world.must_be_idle();
    }
}

#[test]
fn listeners_are_served_and_go_on_elsewhere() {
    let world = World::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    for _ in 0..3 {
        // Its number is the same each time; the poller must have forgotten it.
        let copy = tcp.try_clone().unwrap();
        let listener = world.engine.adopt_listener(copy.into()).unwrap();
        world.own_listener(listener);
        let bound = world
            .engine
            .listener(listener, |listener| listener.address());
        assert_eq!(bound.unwrap().unwrap(), Address::Inet(address));
        let (stream, _peer) = world.pair_of(address);
        world.engine.lose(stream);
        world.until_lost(stream);
        assert!(world.discard(listener));
        world.take_seen();
    }
    let _peer = TcpStream::connect(address).unwrap();
    world.must_be_idle();
    assert!(world.take_seen().is_empty());
    tcp.set_nonblocking(false).unwrap();
    assert!(tcp.accept().is_ok());
}

#[test]
fn a_unix_listener_is_served() {
    let world = World::new();
    let place = Place::new();
    let unix = UnixListener::bind(place.path()).unwrap();
    let listener = world.engine.adopt_listener(unix.into()).unwrap();
    world.own_listener(listener);
    let (stream, mut peer) = world.unix_pair_of(&place);
    peer.write_all(b"hello").unwrap();
    world.until_received(stream, 5);
}

#[test]
fn what_is_no_such_socket_is_refused() {
    let world = World::new();
    let (pipe, _writer) = util::pipes::pipe();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let idle = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (connected, _peer) = tcp_pair();
    let stream = |socket: std::os::fd::OwnedFd| {
        let refused = world.engine.adopt_stream(socket).unwrap_err();
        assert!(refused.1.is_some(), "it is given back");
        refused.0.errno()
    };
    assert_eq!(stream(pipe.try_clone().unwrap().into()), libc::ENOTSOCK);
    assert_eq!(stream(datagrams.try_clone().unwrap().into()), libc::EINVAL);
    assert_eq!(stream(listener.into()), libc::ENOTCONN);
    assert_eq!(stream(idle.try_clone().unwrap().into()), libc::ENOTCONN);
    let listen = |socket| world.engine.adopt_listener(socket).unwrap_err().errno();
    assert_eq!(listen(pipe.into()), libc::ENOTSOCK);
    assert_eq!(listen(datagrams.into()), libc::EINVAL);
    assert_eq!(listen(idle.into()), libc::EINVAL);
    assert_eq!(listen(connected.into()), libc::EINVAL);
    assert_eq!(world.engine.statistics().descriptors, 0);
}

#[test]
fn a_port_is_shared_by_those_who_say_so() {
    let world = World::new();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let first = world.engine.listen_shared(any, 5).unwrap();
    let address = world.engine.listener(first, |listener| listener.address());
    let address = address.unwrap().unwrap().as_inet().unwrap();
    assert!(world.engine.listen_shared(address, 5).is_ok());
    let refused = world.engine.listen(address, 5).unwrap_err();
    assert_eq!(refused.errno(), libc::EADDRINUSE);
    let alone = world.engine.listen(any, 5).unwrap();
    let address = world.engine.listener(alone, |listener| listener.address());
    let address = address.unwrap().unwrap().as_inet().unwrap();
    assert!(world.engine.listen_shared(address, 5).is_err());
}
