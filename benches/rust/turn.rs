//! What a turn of the engine costs with real sockets and no Python: `cargo bench -p torsion-reactor --bench turn`.
//!
//! The peers live in the same thread, so their system calls count as well; of an echo they are about half.

use std::cell::Cell;
use std::error::Error;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use torsion_reactor::{Address, Clock, CloseReason, Engine, Failure, Handles, Peer, Sink, Token};

fn main() {
    divan::main();
}

struct Types;

impl Handles for Types {
    type Stream = Token;
    type Listener = ();
    type Connector = ();
    type Datagram = ();
    type Watch = ();
    type Timer = ();
    type Call = ();
    type Chunk = Box<[u8]>;
}

/// What to do with a connection and with what it brings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Echo,
    Discard,
    Close,
}

/// The least that a binding can be.
struct Binding<'a> {
    engine: &'a Engine<Types>,
    service: Service,
    last: Cell<Option<Token>>,
    received: Cell<usize>,
    lost: Cell<usize>,
}

impl Sink<Types> for Binding<'_> {
    type Data = Box<[u8]>;
    type Lease = Vec<MaybeUninit<u8>>;

    fn park<R: Send>(&self, wait: impl FnOnce() -> R + Send) -> R {
        wait()
    }

    fn share_stream(&self, stream: &Token) -> Token {
        *stream
    }

    fn share_listener(&self, (): &()) {}

    fn share_datagram(&self, (): &()) {}
    fn share_watch(&self, (): &()) {}

    fn copy(&self, bytes: &[u8]) -> Box<[u8]> {
        self.received.set(self.received.get() + bytes.len());
        if self.service == Service::Echo {
            bytes.into()
        } else {
            Box::default()
        }
    }

    fn lend(&self, _size: usize) -> Option<Self::Lease> {
        None
    }

    fn accept_lease(&self, _lease: Self::Lease, _filled: usize) -> Box<[u8]> {
        Box::default()
    }

    fn fire(&self, (): ()) {}

    fn call(&self, (): ()) {}

    fn data(&self, stream: &Token, data: Box<[u8]>) {
        if self.service == Service::Echo {
            self.engine.write(*stream, data);
        }
    }

    #[cfg(unix)]
    fn passed(&self, _stream: &Token, _descriptors: Vec<std::os::fd::OwnedFd>) {}

    fn eof(&self, _stream: &Token) -> bool {
        false
    }

    fn write_closed(&self, _stream: &Token) {}

    fn resume(&self, _stream: &Token) {}

    fn secured(&self, _stream: &Token, _peer: Arc<Peer>) {}

    fn tls_failed(&self, _stream: &Token, _failure: Box<Failure>) {}

    fn lost(&self, _stream: Token, _reason: CloseReason) {
        self.lost.set(self.lost.get() + 1);
    }

    fn adopt(&self, (): &(), token: Token, _peer: &Address) -> Option<Token> {
        self.last.set(Some(token));
        Some(token)
    }

    fn accepted(&self, (): &(), stream: &Token, _peer: &Address) {
        if self.service == Service::Close {
            self.engine.lose(*stream);
        }
    }

    fn accept_failed(&self, (): &(), _errno: i32) {}

    fn adopt_connected(&self, (): &(), token: Token) -> Option<Token> {
        Some(token)
    }

    fn connected(&self, (): (), _stream: &Token) {}

    fn connect_failed(&self, (): (), _errno: i32) {}

    fn ready(&self, (): &(), _ready: torsion_reactor::Wants) {}

    fn datagram(&self, (): &(), _data: Self::Data, _from: &Address) {}
    fn datagram_failed(&self, (): &(), _errno: i32) {}
    fn answer_failed(&self, (): &(), _to: SocketAddr, _errno: i32) {}
    fn watch_failed(&self, (): &(), _errno: i32) {}

    fn panicked(&self, _stream: Option<&Token>, payload: Box<dyn std::any::Any + Send>) {
        std::panic::resume_unwind(payload);
    }
}

type Outcome = Result<(), Box<dyn Error>>;

/// Runs `bench` with a service, the address of its listener, and that many connected peers.
fn serve(
    service: Service,
    connections: usize,
    bench: impl FnOnce(&Binding<'_>, SocketAddr, &[TcpStream]) -> Outcome,
) -> Outcome {
    let engine = Engine::new(Clock::monotonic())?;
    let binding = Binding {
        engine: &engine,
        service,
        last: Cell::new(None),
        received: Cell::new(0),
        lost: Cell::new(0),
    };
    let listener = engine.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), 1024)?;
    engine.own_listener(listener, ());
    let address = engine
        .listener(listener, |listener| listener.address())
        .ok_or("it listens")??
        .as_inet()
        .ok_or("it has a port")?;
    let mut peers = Vec::new();
    for _ in 0..connections {
        let peer = TcpStream::connect(address)?;
        peer.set_nodelay(true)?;
        while binding.last.take().is_none() {
            engine.turn(&binding, None)?;
        }
        peers.push(peer);
    }
    for _ in 0..3 {
        engine.turn(&binding, Some(Duration::ZERO))?;
    }
    bench(&binding, address, &peers)
}

impl Binding<'_> {
    /// Takes turns until so many bytes have come.
    fn receive(&self, size: usize) -> Outcome {
        while self.received.get() < size {
            self.engine.turn(self, None)?;
        }
        self.received.set(0);
        Ok(())
    }
}

/// A figure of something that failed would be a good one.
fn must(outcome: Outcome) {
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// One message to each connection and back.
#[divan::bench(args = [1, 64])]
fn echo(bencher: Bencher<'_, '_>, connections: usize) {
    let message = [b'x'; 64];
    must(serve(Service::Echo, connections, |binding, _, peers| {
        let round = || {
            for mut peer in peers {
                peer.write_all(&message)?;
            }
            binding.receive(message.len() * connections)?;
            let mut answer = message;
            for mut peer in peers {
                peer.read_exact(&mut answer)?;
            }
            Ok(())
        };
        bencher
            .counter(ItemsCount::new(connections))
            .bench_local(|| must(round()));
        Ok(())
    }));
}

/// 128 KiB received, in as many reads as it takes.
#[divan::bench]
fn bulk(bencher: Bencher<'_, '_>) {
    let message = vec![b'x'; 128 * 1024];
    must(serve(Service::Discard, 1, |binding, _, peers| {
        let mut peer = peers.first().ok_or("one peer")?;
        let mut round = || {
            peer.write_all(&message)?;
            binding.receive(message.len())
        };
        bencher
            .counter(BytesCount::new(message.len()))
            .bench_local(|| must(round()));
        Ok(())
    }));
}

/// A turn in which nothing happens, with that many connections that do nothing.
#[divan::bench(args = [0, 1_000])]
fn idle(bencher: Bencher<'_, '_>, connections: usize) {
    must(serve(Service::Echo, connections, |binding, _, _| {
        let turn = || Ok(binding.engine.turn(binding, Some(Duration::ZERO))?);
        bencher.bench_local(|| must(turn()));
        Ok(())
    }));
}

/// A connection that is accepted and closed at once.
#[divan::bench]
fn accept_and_close(bencher: Bencher<'_, '_>) {
    must(serve(Service::Close, 0, |binding, address, _| {
        let round = || {
            let mut peer = TcpStream::connect(address)?;
            let lost = binding.lost.get();
            while binding.lost.get() == lost {
                binding.engine.turn(binding, None)?;
            }
            let ended = peer.read(&mut [0])?;
            assert_eq!(ended, 0);
            Ok(())
        };
        bencher.bench_local(|| must(round()));
        Ok(())
    }));
}
