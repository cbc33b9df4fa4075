//! What the engine calls: everything is noted, and what a test has asked for is done.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use torsion_reactor::{Address, CloseReason, Failure, Peer, Sink, Tick, Token, Wants};

use super::{Call, Handle, Lease, Seen, Timer, Types, World};

impl Sink<Types> for World {
    type Data = Rc<[u8]>;
    type Lease = Lease;

    fn park<R: Send>(&self, wait: impl FnOnce() -> R + Send) -> R {
        self.parked.set(self.parked.get() + 1);
        wait()
    }

    fn share_stream(&self, stream: &Handle) -> Handle {
        stream.share()
    }

    fn share_listener(&self, listener: &Handle) -> Handle {
        listener.share()
    }

    fn share_datagram(&self, datagram: &Handle) -> Handle {
        datagram.share()
    }

    fn share_watch(&self, watch: &Handle) -> Handle {
        watch.share()
    }

    fn copy(&self, bytes: &[u8]) -> Rc<[u8]> {
        bytes.into()
    }

    fn lend(&self, size: usize) -> Option<Lease> {
        self.lends
            .get()
            .then(|| Lease(vec![MaybeUninit::uninit(); size]))
    }

    fn accept_lease(&self, lease: Lease, filled: usize) -> Rc<[u8]> {
        self.leases.set(self.leases.get() + 1);
        #[expect(unsafe_code, reason = "reading what the engine says it wrote")]
        lease.0[..filled]
            .iter()
            // SAFETY: the engine has received this many bytes into the lease's front.
            .map(|byte| unsafe { byte.assume_init() })
            .collect()
    }

    fn fire(&self, timer: Timer) {
        timer(self);
    }

    fn call(&self, call: Call) {
        call(self);
    }

    fn data(&self, stream: &Handle, data: Rc<[u8]>) {
        self.see(Seen::Data(stream.token, data));
    }

    #[cfg(unix)]
    fn passed(&self, stream: &Handle, descriptors: Vec<std::os::fd::OwnedFd>) {
        let count = descriptors.len();
        self.passed.borrow_mut().extend(descriptors);
        self.see(Seen::Passed(stream.token, count));
    }

    fn eof(&self, stream: &Handle) -> bool {
        self.see(Seen::Eof(stream.token));
        self.keeps_eof.get()
    }

    fn write_closed(&self, stream: &Handle) {
        self.see(Seen::WriteClosed(stream.token));
    }

    fn resume(&self, stream: &Handle) {
        self.see(Seen::Resume(stream.token));
    }

    fn secured(&self, stream: &Handle, peer: Arc<Peer>) {
        self.see(Seen::Secured(stream.token, peer));
    }

    fn tls_failed(&self, stream: &Handle, failure: Box<Failure>) {
        self.see(Seen::TlsFailed(stream.token, *failure));
    }

    fn lost(&self, stream: Handle, reason: CloseReason) {
        self.see(Seen::Lost(stream.token, reason));
    }

    fn adopt(&self, _listener: &Handle, token: Token, _peer: &Address) -> Option<Handle> {
        self.take_on(token)
    }

    fn accepted(&self, listener: &Handle, stream: &Handle, _peer: &Address) {
        self.see(Seen::Accepted(listener.token, stream.token));
    }

    fn accept_failed(&self, listener: &Handle, errno: i32) {
        self.see(Seen::AcceptFailed(listener.token, errno));
    }

    fn adopt_connected(&self, _connector: &Handle, token: Token) -> Option<Handle> {
        self.take_on(token)
    }

    fn connected(&self, connector: Handle, stream: &Handle) {
        assert_eq!(
            connector.token, stream.token,
            "a connector becomes a stream in its place"
        );
        self.see(Seen::Connected(stream.token));
    }

    fn connect_failed(&self, connector: Handle, errno: i32) {
        self.see(Seen::ConnectFailed(connector.token, errno));
    }

    fn datagram(&self, datagram: &Handle, data: Rc<[u8]>, from: &Address) {
        self.see(Seen::Datagram(datagram.token, data, from.clone()));
    }

    fn datagram_failed(&self, datagram: &Handle, errno: i32) {
        self.see(Seen::DatagramFailed(datagram.token, errno));
    }

    fn answer_failed(&self, datagram: &Handle, to: SocketAddr, errno: i32) {
        self.see(Seen::AnswerFailed(datagram.token, to, errno));
    }

    fn ready(&self, watch: &Handle, ready: Wants) {
        self.see(Seen::Ready(watch.token, ready));
    }

    fn watch_failed(&self, watch: &Handle, errno: i32) {
        self.see(Seen::WatchFailed(watch.token, errno));
    }

    fn ticked(&self, tick: Tick) {
        self.see(Seen::Ticked(tick));
    }

    fn panicked(&self, stream: Option<&Handle>, payload: Box<dyn std::any::Any + Send>) {
        let message = payload.downcast_ref::<&str>().map(ToString::to_string);
        let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
        self.see(Seen::Panicked(
            stream.map(|handle| handle.token),
            message.unwrap_or_default(),
        ));
    }
}
