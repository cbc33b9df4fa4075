//! Turns that are taken by somebody else's loop, which watches the poller's descriptor and keeps one timer.

use super::{Engine, State};
use crate::clock::Time;
use crate::sink::{Handles, Sink};

/// What the loop that takes the turns knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guest {
    /// When it will take one in any case.
    pub(super) deadline: Option<Time>,
}

impl<H: Handles> Engine<H> {
    /// The poller's descriptor: readable while a wait would end at once.  `None` where the system has no such thing.
    #[must_use]
    pub const fn descriptor(&self) -> Option<i32> {
        self.descriptor
    }

    /// From now on somebody else's loop takes the turns: one whenever the descriptor is readable, and one at the time that
    /// [`next_deadline`](Self::next_deadline) gives after each.
    pub fn attach(&self) {
        self.guest.set(Some(Guest::default()));
    }

    /// Ends what [`attach`](Self::attach) began.
    pub fn detach(&self) {
        self.guest.set(None);
    }

    /// Makes the descriptor readable if that loop is to take a turn that it does not know of: there is more to do than fitted
    /// the last one, or something was asked for since.  To be called after each use outside a turn; once readable, it
    /// costs no further call to the kernel until that turn.
    pub fn call_attention(&self) {
        let Some(Guest { deadline: known }) = self.guest.get() else {
            return;
        };
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return; // in use further up the stack, where this is called again
        };
        let wanted = state.owes()
            || match (state.next_deadline(), known) {
                (Some(deadline), Some(known)) => deadline < known,
                (deadline, known) => deadline.is_some() && known.is_none(),
            };
        drop(state);
        if wanted && self.ingress.request_wake() {
            // It fails only with the poller gone, which the next turn tells of.
            let _ = self.waker.wake();
        }
    }

    /// Does at the end of a turn what would else call for another one, and notes what the loop is about to ask for.
    pub(super) fn prepare_rest<S: Sink<H>>(&self, sink: &S) {
        if self.guest.get().is_some() {
            self.arm_watches(sink);
            if self.is_time_to_look_again(true) && self.ingress.request_wake() {
                let _ = self.waker.wake();
            }
            let deadline = self.state.borrow_mut().next_deadline();
            self.guest.set(Some(Guest { deadline }));
            if self.ingress.is_wanted() {
                // What woke it during the turn, the turn's own look at the poller has used up.
                let _ = self.waker.wake();
            }
        }
    }
}

impl<H: Handles> State<H> {
    /// When the first timer or a stream's deadline is due, or a listener that is short of descriptors tries again.
    pub(super) fn next_deadline(&mut self) -> Option<Time> {
        let retry = self.retry.filter(|_| !self.starved.is_empty());
        [
            self.timers.next_deadline(),
            self.deadlines.next_deadline(),
            retry,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
