//! Watches of foreign descriptors: what the binding may ask of them, and how it is told.

use std::io;

use super::{Engine, Entry, State};
use crate::sink::{Handles, Sink, Wants};
use crate::token::Token;
use crate::watch::{Armed, Watch};

impl<H: Handles> Engine<H> {
    /// Makes a watch of `descriptor`, of which nothing is wanted yet, and for which `make` says what stands.
    pub fn open_watch(&self, descriptor: i32) -> Token {
        self.state.borrow_mut().entries.insert(Entry::Watch {
            watch: Watch::new(descriptor),
            handle: None,
        })
    }

    /// Says what stands for a watch.
    pub fn own_watch(&self, token: Token, owner: H::Watch) {
        let mut state = self.state.borrow_mut();
        if let Some(Entry::Watch { handle, .. }) = state.entries.get_mut(token) {
            *handle = Some(owner);
        }
    }

    /// Looks at a watch; `None` once it is ended.
    pub fn watch<R>(&self, token: Token, look: impl FnOnce(&Watch) -> R) -> Option<R> {
        match self.state.borrow().entries.get(token) {
            Some(Entry::Watch { watch, .. }) => Some(look(watch)),
            _ => None,
        }
    }

    /// Changes what is wanted of a descriptor.
    ///
    /// # Errors
    /// Where nothing was wanted before, what the system says of it: that it is closed, say, or an engine's own.
    pub fn want(&self, token: Token, change: impl FnOnce(&mut Wants)) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let Some(watch) = state.watch(token) else {
            return Ok(());
        };
        let mut wants = watch.wants();
        change(&mut wants);
        if wants == watch.wants() {
            return Ok(());
        }
        if watch.want(wants) {
            return self.arm(&mut state, token);
        }
        state.spoil(token);
        Ok(())
    }

    fn arm(&self, state: &mut State<H>, token: Token) -> io::Result<()> {
        let Some(Entry::Watch { watch, .. }) = state.entries.get_mut(token) else {
            return Ok(());
        };
        match watch.arm(&state.registrar, token) {
            Ok(Armed::Waiting) => Ok(()),
            Ok(Armed::Ready) => {
                state.enqueue(token);
                Ok(())
            }
            Err(error) => {
                watch.want(Wants::default());
                Err(error)
            }
        }
    }

    /// Arms what was served or changed since the last wait, once for all changes of a turn.
    pub(super) fn arm_watches<S: Sink<H>>(&self, sink: &S) {
        let unarmed = std::mem::take(&mut self.state.borrow_mut().unarmed);
        for token in unarmed {
            let failed = {
                let mut state = self.state.borrow_mut();
                match state.watch(token) {
                    Some(watch) => watch.refresh(),
                    None => continue,
                }
                match self.arm(&mut state, token) {
                    Ok(()) => None,
                    Err(error) => state
                        .share_watch(token, sink)
                        .map(|handle| (handle, error.raw_os_error().unwrap_or(0))),
                }
            };
            if let Some((handle, errno)) = failed {
                self.guard(sink, None, || sink.watch_failed(&handle, errno));
            }
        }
    }

    /// Tells the owner what can be done.
    pub(super) fn serve_watch<S: Sink<H>>(&self, sink: &S, token: Token) {
        let (handle, ready) = {
            let mut state = self.state.borrow_mut();
            let Some(watch) = state.watch(token) else {
                return;
            };
            let ready = watch.ready();
            watch.busy = ready.anything();
            (state.share_watch(token, sink), ready)
        };
        if let Some(handle) = handle.filter(|_| ready.anything()) {
            // Guarded here: a panic must not leave it busy.
            self.guard(sink, None, || sink.ready(&handle, ready));
        }
        let mut state = self.state.borrow_mut();
        if let Some(watch) = state.watch(token) {
            watch.busy = false;
        }
        state.spoil(token); // it may be ready still, or else the poller is to look out again
    }
}

impl<H: Handles> State<H> {
    /// Has a watch armed before the next wait.  One with its hook on the stack is armed after that, so that a turn within
    /// the hook leaves it alone.
    fn spoil(&mut self, token: Token) {
        if self
            .watch(token)
            .is_some_and(|watch| !watch.busy && watch.spoil())
        {
            self.unarmed.push(token);
        }
    }

    fn watch(&mut self, token: Token) -> Option<&mut Watch> {
        match self.entries.get_mut(token) {
            Some(Entry::Watch { watch, .. }) => Some(watch),
            _ => None,
        }
    }

    fn share_watch<S: Sink<H>>(&self, token: Token, sink: &S) -> Option<H::Watch> {
        match self.entries.get(token) {
            Some(Entry::Watch {
                handle: Some(handle),
                ..
            }) => Some(sink.share_watch(handle)),
            _ => None,
        }
    }
}
