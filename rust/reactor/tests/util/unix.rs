//! Unix sockets to connect to and be connected by, and descriptors that go along them.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use torsion_reactor::{Address, Token};

use super::{PATIENCE, World};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A path where nothing is; what comes to be there is removed at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("torsion-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_os_str().as_encoded_bytes()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Connects, blocking; what is read from it afterwards is waited for, but not for ever.
pub(crate) fn connect(place: &Place) -> UnixStream {
    let peer = UnixStream::connect(place.path()).expect("somebody listens");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    peer
}

impl World {
    /// A listener at a place of its own.
    pub(crate) fn listen_unix(&self) -> (Token, Place) {
        let place = Place::new();
        let token = self.engine.listen_unix(place.bytes(), 50, 0o600);
        let token = token.expect("nothing is there");
        self.own_listener(token);
        (token, place)
    }

    /// Where a stream is, and where its peer.
    pub(crate) fn ends(&self, token: Token) -> [Address; 2] {
        let ends = self.engine.stream(token, |stream| {
            let socket = stream.socket().expect("open");
            [socket.local_addr(), socket.peer_addr()]
        });
        ends.expect("a stream")
            .map(|address| Address::from_system(&address.expect("connected")))
    }

    /// A stream over a socket that is connected already.
    pub(crate) fn adopt(&self, socket: impl Into<OwnedFd>) -> Token {
        let token = self.engine.adopt_stream(socket.into());
        let token = token.expect("a connected socket");
        self.own_stream(token);
        token
    }

    /// A stream that came in, and its peer.
    pub(crate) fn unix_pair(&self) -> (Token, UnixStream) {
        let (listener, place) = self.listen_unix();
        let pair = self.unix_pair_of(&place);
        drop(self.engine.discard(listener));
        pair
    }

    /// As [`unix_pair`](Self::unix_pair), over a listener that is there.
    pub(crate) fn unix_pair_of(&self, place: &Place) -> (Token, UnixStream) {
        let before = self.accepted().len();
        let peer = connect(place);
        self.until("a connection to come in", |world| {
            world.accepted().len() > before
        });
        (*self.accepted().last().expect("one came in"), peer)
    }
}

/// Two ends of a TCP connection.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let near = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    (near, listener.accept().expect("one came in").0)
}

/// Sends bytes with descriptors.
pub(crate) fn send(peer: &UnixStream, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)));
    let sent = rustix::net::sendmsg(
        peer,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::empty(),
    );
    assert_eq!(sent.expect("room"), bytes.len());
}

/// Reads once: bytes, and the descriptors that came with them.
pub(crate) fn receive(peer: &UnixStream, room: usize) -> (Vec<u8>, Vec<OwnedFd>) {
    let mut bytes = vec![0; room];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = rustix::net::recvmsg(
        peer,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .expect("something to read");
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            descriptors.extend(some);
        }
    }
    bytes.truncate(got.bytes);
    (bytes, descriptors)
}

/// Has a stream read so much without descriptors that nobody looks for them any more.
pub(crate) fn lull(world: &World, stream: Token, mut peer: &UnixStream) {
    for _ in 0..20 {
        let before = world.received(stream).len();
        peer.write_all(b"lull").expect("room");
        world.until_received(stream, before + 4);
    }
    world.must_be_idle();
    world.take_seen();
}

/// Files that can be told apart.
pub(crate) fn files(count: usize) -> Vec<File> {
    (0..count)
        .map(|number| {
            let name = c"torsion";
            let file = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC);
            let file = File::from(file.expect("memory"));
            file.set_len(number as u64).expect("memory");
            file
        })
        .collect()
}

/// Which of [`files`] these are.
pub(crate) fn numbers(descriptors: &[OwnedFd]) -> Vec<u64> {
    descriptors
        .iter()
        .map(|descriptor| {
            let size = rustix::fs::fstat(descriptor).expect("open").st_size;
            u64::try_from(size).expect("a size")
        })
        .collect()
}

pub(crate) fn borrowed(files: &[File]) -> Vec<BorrowedFd<'_>> {
    files.iter().map(AsFd::as_fd).collect()
}

pub(crate) fn owned(file: &File) -> OwnedFd {
    file.try_clone().expect("a descriptor").into()
}
