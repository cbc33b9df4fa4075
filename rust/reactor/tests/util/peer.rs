//! The other side of a connection, driven by hand in the same thread.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use torsion_reactor::SockRef;

use super::{PATIENCE, World};

/// Connects, blocking; what is read from it afterwards is waited for, but not for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let peer = TcpStream::connect_timeout(&address, PATIENCE).expect("somebody listens");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    peer
}

/// Connects with as small a receive buffer as there is, so that the other side's outbox fills soon.
pub(crate) fn connect_small(address: SocketAddr) -> TcpStream {
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(1).expect("the least there is");
    socket
        .connect_timeout(&address.into(), PATIENCE)
        .expect("somebody listens");
    let peer = TcpStream::from(socket);
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    peer
}

/// Writes what surely fits the buffers.
pub(crate) fn say(mut peer: &TcpStream, bytes: &[u8]) {
    peer.write_all(bytes).expect("somebody is there");
}

/// Closes with a reset.
pub(crate) fn reset(peer: TcpStream) {
    SockRef::from(&peer)
        .set_linger(Some(Duration::ZERO))
        .expect("a socket that is open");
    drop(peer);
}

/// Reads exactly so many bytes, which the engine has sent already.
pub(crate) fn read(mut peer: &TcpStream, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    peer.read_exact(&mut bytes).expect("bytes");
    bytes
}

/// What the peer finds, without waiting, after all that it can read: `Ok(())` for the end, else the error.
pub(crate) fn end_of(mut peer: &TcpStream) -> Result<(), ErrorKind> {
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes)
        .map(drop)
        .map_err(|error| error.kind())
}

/// Whether the peer has been turned away, at a look.
pub(crate) fn is_shed(peer: &TcpStream) -> bool {
    peer.set_nonblocking(true).expect("a socket");
    !matches!(end_of(peer), Err(ErrorKind::WouldBlock))
}

/// A port of the loopback on which nobody listens.
pub(crate) fn deaf_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("bound")
}

/// A listener whose queue is full, so that a further connection stays in the making; and what fills it.
pub(crate) fn busy_listener() -> (TcpListener, Vec<Socket>) {
    let open = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let socket = open();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).expect("a port");
    socket.listen(0).expect("bound");
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().expect("bound").into();
    let fill = (0..8)
        .map(|_| {
            let socket = open();
            socket.set_nonblocking(true).expect("a socket");
            let _ = socket.connect(&address);
            socket
        })
        .collect();
    (listener, fill)
}

/// Takes turns and reads, in steps of at most `step` bytes, until `size` bytes or the end have come.
pub(crate) fn read_slowly(
    world: &World,
    mut peer: &TcpStream,
    size: usize,
    step: usize,
) -> Vec<u8> {
    peer.set_nonblocking(true).expect("a socket");
    let mut bytes = Vec::with_capacity(size);
    let mut room = vec![0; step];
    let start = world.real_time();
    while bytes.len() < size {
        let want = step.min(size - bytes.len());
        match peer.read(&mut room[..want]) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                world.check_patience(start, "bytes for the peer");
                world.poll();
            }
            Err(error) => panic!("after {} bytes: {error}", bytes.len()),
        }
    }
    peer.set_nonblocking(false).expect("a socket");
    bytes
}

/// Takes turns and writes until the peer has written it all.
pub(crate) fn write_all(world: &World, mut peer: &TcpStream, mut bytes: &[u8]) {
    peer.set_nonblocking(true).expect("a socket");
    let start = world.real_time();
    while !bytes.is_empty() {
        match peer.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                world.check_patience(start, "room for the peer's bytes");
                world.poll();
            }
            Err(error) => panic!("with {} bytes left: {error}", bytes.len()),
        }
    }
    peer.set_nonblocking(false).expect("a socket");
}

/// Bytes in which a hole, a repetition or a wrong order shows.
pub(crate) fn pattern(size: usize) -> Vec<u8> {
    (0..size)
        .map(|place| ((place * 31) ^ (place >> 8) ^ (place >> 17)) as u8)
        .collect()
}
