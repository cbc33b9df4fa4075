//! The only way up: what an engine calls in its binding.
//!
//! Three laws hold for the methods of [`Sink`]: they are called from the engine's own thread; no borrow of the engine is
//! held, so they may call any method of the engine, [`Engine::turn`](crate::Engine::turn) included; and they may panic,
//! which costs the object they were called for and nothing else.  The two that share a handle are an exception to the
//! second: they are called in the middle of things and may call nothing of the engine.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::address::Address;
use crate::error::CloseReason;
use crate::security::{Failure, Peer};
use crate::token::Token;

/// What is wanted of a foreign descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// To be told when it can be read.
    pub read: bool,
    /// To be told when it can be written.
    pub write: bool,
}

impl Wants {
    /// Whether anything is.
    #[must_use]
    pub const fn anything(self) -> bool {
        self.read || self.write
    }
}

/// What one turn took, those that were taken within it included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// How long it waited for something to do.
    pub waited: Duration,
    /// How long all else took.
    pub worked: Duration,
    /// How many descriptors were found to be ready; the waker is none of them.
    pub events: usize,
}

/// The binding's own types that an engine keeps for it.
pub trait Handles {
    /// What stands for a stream.
    type Stream;
    /// What stands for a listener.
    type Listener;
    /// What stands for a connection in the making.
    type Connector;
    /// What stands for a datagram socket.
    type Datagram;
    /// What stands for a watched descriptor.
    type Watch;
    /// What is due when a timer is.
    type Timer;
    /// A call from another thread.
    type Call;
    /// A chunk of bytes to be written, kept by reference until the kernel has taken it.  It is dropped while the engine is
    /// borrowed, so its end must not run code that may call the engine.
    type Chunk: AsRef<[u8]>;
}

/// What an engine calls.
pub trait Sink<H: Handles> {
    /// Received bytes in the binding's form.
    type Data;
    /// Memory that the binding lends to be read into.
    type Lease: AsMut<[MaybeUninit<u8>]>;

    /// Runs `wait`, which blocks; other threads of the binding may run meanwhile.
    fn park<R: Send>(&self, wait: impl FnOnce() -> R + Send) -> R;

    /// Makes another handle to the same stream.
    fn share_stream(&self, stream: &H::Stream) -> H::Stream;
    /// Makes another handle to the same listener.
    fn share_listener(&self, listener: &H::Listener) -> H::Listener;
    /// Makes another handle to the same datagram socket.
    fn share_datagram(&self, datagram: &H::Datagram) -> H::Datagram;
    /// Makes another handle to the same watch.
    fn share_watch(&self, watch: &H::Watch) -> H::Watch;

    /// Copies received bytes.
    fn copy(&self, bytes: &[u8]) -> Self::Data;
    /// Lends memory for a large read, or `None` to have it copied.
    fn lend(&self, size: usize) -> Option<Self::Lease>;
    /// Takes the memory back, its first `filled` bytes received.
    fn accept_lease(&self, lease: Self::Lease, filled: usize) -> Self::Data;

    /// A timer is due.
    fn fire(&self, timer: H::Timer);
    /// A call from another thread is to be made.
    fn call(&self, call: H::Call);

    /// Bytes were received.
    fn data(&self, stream: &H::Stream, data: Self::Data);
    /// Descriptors were received; [`data`](Self::data) follows with the bytes that they came with, and perhaps bytes before
    /// those.  None at all: they came, and as nobody wanted them, were closed.
    #[cfg(unix)]
    fn passed(&self, stream: &H::Stream, descriptors: Vec<std::os::fd::OwnedFd>);
    /// The peer closed its half.  Returns whether the protocol goes on without it.
    fn eof(&self, stream: &H::Stream) -> bool;
    /// Our half is shut down, after everything was sent.
    fn write_closed(&self, stream: &H::Stream);
    /// The outbox is empty: the producer that was paused, or that waits to be asked, may go on.
    fn resume(&self, stream: &H::Stream);
    /// The stream's TLS handshake is over, and this is whom it is with.
    fn secured(&self, stream: &H::Stream, peer: Arc<Peer>);
    /// The stream's TLS failed, for this reason; `lost` follows.
    fn tls_failed(&self, stream: &H::Stream, failure: Box<Failure>);
    /// The stream is gone; called once, last.
    fn lost(&self, stream: H::Stream, reason: CloseReason);

    /// A connection came in as the stream `token`.  Returns the handle that the engine is to keep, or `None` to have the
    /// connection aborted.
    fn adopt(&self, listener: &H::Listener, token: Token, peer: &Address) -> Option<H::Stream>;
    /// The adopted connection is the engine's: say so.
    fn accepted(&self, listener: &H::Listener, stream: &H::Stream, peer: &Address);
    /// Accepting failed; said once until it works again.
    fn accept_failed(&self, listener: &H::Listener, errno: i32);

    /// The connection stands and became the stream `token`.  As [`adopt`](Self::adopt).
    fn adopt_connected(&self, connector: &H::Connector, token: Token) -> Option<H::Stream>;
    /// The adopted connection is the engine's: say so.
    fn connected(&self, connector: H::Connector, stream: &H::Stream);
    /// The connection could not be made.
    fn connect_failed(&self, connector: H::Connector, errno: i32);

    /// A datagram was received.
    fn datagram(&self, datagram: &H::Datagram, data: Self::Data, from: &Address);
    /// The system has something to say of a datagram socket: that the peer of a connected one refused a datagram, say; or
    /// that it is no socket any more.
    fn datagram_failed(&self, datagram: &H::Datagram, errno: i32);
    /// An answer could not be sent.
    fn answer_failed(&self, datagram: &H::Datagram, to: SocketAddr, errno: i32);

    /// A watched descriptor can be read, written, or both.
    fn ready(&self, watch: &H::Watch, ready: Wants);
    /// A watched descriptor cannot be watched any more: it was closed, say.  Said once; the watch rests until something
    /// is wanted of it again.
    fn watch_failed(&self, watch: &H::Watch, errno: i32);

    /// A turn is over; told if [`Engine::measure`](crate::Engine::measure) asked for it.
    fn ticked(&self, tick: Tick) {
        let _ = tick;
    }

    /// One of the above panicked, or the engine did on its behalf.  The stream, if there is one, is lost as
    /// [`CloseReason::Raised`].
    fn panicked(&self, stream: Option<&H::Stream>, payload: Box<dyn std::any::Any + Send>);
}
