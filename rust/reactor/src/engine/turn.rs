//! The order of a turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::secure::handshakes_of;
use super::{Engine, Entry, Progress, State};
use crate::clock::Time;
use crate::sink::{Handles, Sink};
use crate::token::Token;

/// How long a listener that is short of descriptors waits before it tries again, unless one of ours is closed earlier.
pub(super) const STARVED_RETRY: Duration = Duration::from_millis(100);

/// How long a wait may be where signals cannot end it (Windows): so late does Ctrl-C take effect at most.
const SIGNAL_POLL: Duration = Duration::from_millis(100);

/// How many turns of a loop that is never idle pass before it looks at streams that may have something to read although
/// nothing says so.
#[cfg(unix)]
const LOOK_AGAIN: u64 = 32;

/// Whether anything may be waiting although nothing says so: after a busy wait the poller is asked without blocking
/// first, so that the binding's other threads are only let in when there is really nothing to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// The last wait had to block.
    Idle,
    /// The last wait found several descriptors at once.
    Busy,
}

impl<H: Handles> Engine<H> {
    /// Takes turns until [`stop`](Self::stop) is called or `go_on`, asked before each turn, says no.
    pub fn run<S: Sink<H>>(
        &self,
        sink: &S,
        mut go_on: impl FnMut() -> bool,
    ) -> std::io::Result<()> {
        let before = self.progress.replace(Progress::Running);
        let working = self.work();
        let mut pace = Pace::Idle;
        let mut outcome = Ok(());
        while self.progress.get() == Progress::Running && go_on() {
            match self.take_turn(sink, None, pace) {
                Ok(next) => pace = next,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        drop(working);
        // A run within a run that was stopped stops that one as well.
        if before == Progress::Resting || self.progress.get() == Progress::Running {
            self.progress.set(before);
        }
        outcome
    }

    /// Takes one turn:
    ///
    /// 1. the calls from other threads that have come in by now, in their order;
    /// 2. the timers that are due by now, in the order of their deadlines; what they schedule waits for the next turn;
    ///    then streams whose time is up;
    /// 3. what was written, to the kernel; what was closed, to its owner; what is wanted of watched descriptors, to the
    ///    poller;
    /// 4. the wait: not at all if there is more to do, else until a descriptor is ready, a timer is due, the waker is
    ///    used or `timeout` has passed (`None`: for ever);
    /// 5. input and output: each ready descriptor once, with a bounded share; what a stream's hook wrote goes to the
    ///    kernel as soon as that hook returns;
    /// 6. as 3.
    ///
    /// A turn may be taken from within an upcall; it skips the stream that is being served.
    ///
    /// # Errors
    /// What the system says of the poller, which is then of no more use.
    pub fn turn<S: Sink<H>>(&self, sink: &S, timeout: Option<Duration>) -> std::io::Result<()> {
        let working = self.work();
        let turned = self.take_turn(sink, timeout, Pace::Idle);
        drop(working);
        self.prepare_rest(sink);
        turned.map(drop)
    }

    fn take_turn<S: Sink<H>>(
        &self,
        sink: &S,
        timeout: Option<Duration>,
        pace: Pace,
    ) -> std::io::Result<Pace> {
        let began = self.begin_tick();
        let turned = self.take_steps(sink, timeout, pace);
        if let Some(began) = began {
            self.end_tick(sink, began);
        }
        turned
    }

    fn take_steps<S: Sink<H>>(
        &self,
        sink: &S,
        timeout: Option<Duration>,
        pace: Pace,
    ) -> std::io::Result<Pace> {
        self.state.borrow_mut().statistics.turns += 1;
        self.make_calls(sink);
        self.fire_timers(sink);
        self.see_to_deadlines();
        self.settle(sink);
        let began = self.begin_wait();
        let waited = self.wait(sink, timeout, pace);
        self.end_wait(began);
        let pace = waited?;
        self.serve_ready(sink);
        self.settle(sink);
        Ok(pace)
    }

    /// Step 1.
    fn make_calls<S: Sink<H>>(&self, sink: &S) {
        let count = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            self.ingress.take(&mut state.arrived);
            state.calls.extend(state.arrived.drain(..));
            state.calls.len()
        };
        for _ in 0..count {
            let Some(call) = self.state.borrow_mut().calls.pop_front() else {
                return; // a nested turn has made them
            };
            self.guard(sink, None, || sink.call(call));
        }
    }

    /// Step 2.
    fn fire_timers<S: Sink<H>>(&self, sink: &S) {
        let expiry = {
            let mut state = self.state.borrow_mut();
            if state.timers.is_empty() {
                return;
            }
            state.timers.begin_expiry(self.clock.now())
        };
        loop {
            let due = self.state.borrow_mut().timers.pop_expired(&expiry);
            let Some((_, timer)) = due else {
                return;
            };
            self.guard(sink, None, || sink.fire(timer));
        }
    }

    /// Steps 3 and 6.
    fn settle<S: Sink<H>>(&self, sink: &S) {
        // Those that are dirty now: what the flushes' upcalls write comes after the wait, which is then none, so that a
        // producer that never stops takes turns.  One by one, so that a turn within an upcall finds the others.
        let count = self.state.borrow().dirty.len();
        for _ in 0..count {
            let Some(token) = self.state.borrow_mut().next_dirty() else {
                break;
            };
            self.guard(sink, Some(token), || self.flush(sink, token));
        }
        self.tell_closed(sink);
        self.arm_watches(sink);
    }

    /// Step 4.
    fn wait<S: Sink<H>>(
        &self,
        sink: &S,
        timeout: Option<Duration>,
        pace: Pace,
    ) -> std::io::Result<Pace> {
        let began = self.pulse.measures().then(|| self.clock.now());
        if let (Some(now), true) = (began, timeout != Some(Duration::ZERO)) {
            self.looked(now); // else somebody else's loop waits, and calls for each turn
        }
        let timeout = self.patience(timeout, began);
        if self.abandoned.get() {
            return Err(std::io::Error::other(
                "the poller belongs to the process that this one was forked off",
            ));
        }
        // A nested turn within the wait itself cannot be: nothing is called upwards while the poller is borrowed.
        let Ok(mut poller) = self.poller.try_borrow_mut() else {
            return Ok(pace);
        };
        let mut found = 0;
        let mut woken = false;
        if timeout == Some(Duration::ZERO) || pace == Pace::Busy {
            poller.wait(Some(Duration::ZERO))?;
            (found, woken) = self.collect(&mut poller);
        }
        if self.is_time_to_look_again(found == 0 && !woken) {
            return Ok(pace);
        }
        if found == 0 && !woken && timeout != Some(Duration::ZERO) {
            self.state.borrow_mut().statistics.waits += 1;
            let waited = &mut *poller;
            self.resting(began, || sink.park(move || waited.wait(timeout)))?;
            (found, _) = self.collect(&mut poller);
        }
        Ok(if found > 1 { Pace::Busy } else { Pace::Idle })
    }

    /// Whether a stream has something to read after all of which the poller does not tell, looked at when the loop is `idle`
    /// and from time to time.
    pub(super) fn is_time_to_look_again(&self, idle: bool) -> bool {
        #[cfg(unix)]
        if idle || self.state.borrow().statistics.turns % LOOK_AGAIN == 0 {
            return self.look_again() && idle;
        }
        let _ = idle;
        false
    }

    /// How long the wait may be: nothing that is due or owed is kept waiting.
    fn patience(&self, timeout: Option<Duration>, now: Option<Time>) -> Option<Duration> {
        let mut state = self.state.borrow_mut();
        if self.progress.get() == Progress::Stopping || state.owes() {
            return Some(Duration::ZERO);
        }
        let mut patience = timeout;
        if self.signal_descriptor.is_none() {
            patience = Some(patience.map_or(SIGNAL_POLL, |patience| patience.min(SIGNAL_POLL)));
        }
        if let Some(deadline) = state.next_deadline() {
            let left = deadline.since(now.unwrap_or_else(|| self.clock.now()));
            patience = Some(patience.map_or(left, |patience| patience.min(left)));
        }
        patience
    }

    /// Notes what the poller found; returns for how many descriptors, and whether somebody wants the turn to go on.
    fn collect(&self, poller: &mut crate::poller::Poller) -> (usize, bool) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let mut found = 0;
        let woken = poller.drain(|event| {
            found += 1;
            if let Some(readiness) = state
                .entries
                .get_mut(event.token)
                .and_then(Entry::readiness)
            {
                readiness.merge(event.readable, event.writable, event.read_on);
                if event.error {
                    readiness.note_error();
                }
                if readiness.enqueue() {
                    state.ready.push_back(event.token);
                }
            }
        });
        for token in std::mem::take(&mut state.starved) {
            state.enqueue(token);
        }
        self.note_events(found);
        (found, woken)
    }

    /// Step 5: those that are ready now; who becomes ready, or is not through with its share, waits for the next turn.
    fn serve_ready<S: Sink<H>>(&self, sink: &S) {
        let count = {
            let mut state = self.state.borrow_mut();
            state.handshakes = handshakes_of(state.ready.len());
            state.ready.len()
        };
        for _ in 0..count {
            let Some(token) = self.state.borrow_mut().next_ready() else {
                return;
            };
            self.guard(sink, Some(token), || self.serve(sink, token));
            self.tell_closed(sink);
        }
    }

    /// Tells the owners of closed streams, the last that they hear of them.
    pub(super) fn tell_closed<S: Sink<H>>(&self, sink: &S) {
        let count = self.state.borrow().closed.len();
        for _ in 0..count {
            let lost = {
                let mut state = self.state.borrow_mut();
                let Some(token) = state.closed.pop_front() else {
                    return;
                };
                if state.is_busy(token) {
                    state.closed.push_back(token); // its hook is still on the stack: a nested turn must not get ahead of it
                    continue;
                }
                state.remove_stream(token)
            };
            if let Some((handle, reason, failure)) = lost {
                self.guard(sink, None, || {
                    if let Some(failure) = failure {
                        sink.tls_failed(&handle, failure);
                    }
                    sink.lost(handle, reason);
                });
            }
        }
    }

    /// Does one thing; a panic in it is told and costs the stream, never the loop.
    pub(super) fn guard<S: Sink<H>>(&self, sink: &S, stream: Option<Token>, work: impl FnOnce()) {
        self.pulse.piece();
        // No borrow outlives the unwinding, and what a half-done change may leave is a stream that is closed next.
        let Err(payload) = catch_unwind(AssertUnwindSafe(work)) else {
            return;
        };
        let handle = stream.and_then(|token| {
            let mut state = self.state.borrow_mut();
            if let Some(stream) = state.stream(token) {
                stream.busy = false;
            }
            state.recover_datagram(token);
            state.share(token, sink)
        });
        if let Some(token) = stream {
            self.fail(token);
        }
        // A sink whose complaint panics as well is beyond help; the loop is not.
        let _ = catch_unwind(AssertUnwindSafe(|| sink.panicked(handle.as_ref(), payload)));
    }

    /// When the timers were last looked at, for those who schedule many at once.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }
}

impl<H: Handles> State<H> {
    /// Whether the next turn has something to do without any event.  What is owed to a stream whose hook is on the stack
    /// comes after that hook: a nested turn that did not wait because of it would turn for nothing.
    pub(super) fn owes(&self) -> bool {
        !self.dirty.is_empty()
            || !self.unarmed.is_empty()
            || !self.calls.is_empty()
            || self.ready.iter().any(|token| !self.is_busy(*token))
            || self.closed.iter().any(|token| !self.is_busy(*token))
    }

    /// Takes the next stream off the list of those to flush.  Only here is it noted that it left the list: a flush may
    /// come from elsewhere while it is on it.
    fn next_dirty(&mut self) -> Option<Token> {
        let token = self.dirty.pop_front()?;
        match self.entries.get_mut(token) {
            Some(Entry::Stream { stream, .. }) => stream.clean(),
            Some(Entry::Datagram { datagram, .. }) => datagram.clean(),
            _ => {}
        }
        Some(token)
    }

    /// Whether this is a stream, a datagram socket or a watch with one of its hooks on the stack.
    fn is_busy(&self, token: Token) -> bool {
        match self.entries.get(token) {
            Some(Entry::Stream { stream, .. }) => stream.busy,
            Some(Entry::Datagram { datagram, .. }) => datagram.busy,
            Some(Entry::Watch { watch, .. }) => watch.busy,
            _ => false,
        }
    }

    /// Takes the next ready descriptor; one that is being served further up the stack stays in the queue.
    fn next_ready(&mut self) -> Option<Token> {
        for _ in 0..self.ready.len() {
            let token = self.ready.pop_front()?;
            if self.is_busy(token) {
                self.ready.push_back(token);
                continue;
            }
            if let Some(readiness) = self.entries.get_mut(token).and_then(Entry::readiness) {
                readiness.dequeue();
                return Some(token);
            }
        }
        None
    }
}
