//! Foreign descriptors: the binding reads and writes them itself, and wants to be told when it can.
//!
//! The binding's contract is *level-triggered*: as long as a descriptor is ready it is told so in every turn.  The poller
//! is edge-triggered, so after each time the watch is armed anew, which makes the poller tell again what is still ready.

use std::io;

use crate::poller::Registrar;
use crate::readiness::Readiness;
use crate::sink::Wants;
use crate::token::Token;

/// A watched descriptor.
#[derive(Debug)]
pub struct Watch {
    descriptor: i32,
    wants: Wants,
    standing: Standing,
    pub(crate) readiness: Readiness,
    /// Whether its hook is on the stack.
    pub(crate) busy: bool,
    /// Whether it is in the engine's list of watches to arm.
    stale: bool,
}

/// How the poller stands to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It knows nothing of it.
    Unknown,
    /// It watches it.
    Watched,
    /// It refuses it, as the system does for regular files: these are always ready.
    Refused,
}

/// What came of arming a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Armed {
    /// The poller will tell.
    Waiting,
    /// It is ready at once, and always.
    Ready,
}

impl Watch {
    /// A watch that wants nothing yet.
    pub(crate) const fn new(descriptor: i32) -> Self {
        Self {
            descriptor,
            wants: Wants {
                read: false,
                write: false,
            },
            standing: Standing::Unknown,
            readiness: Readiness::none(),
            busy: false,
            stale: false,
        }
    }

    /// The descriptor.
    #[must_use]
    pub const fn descriptor(&self) -> i32 {
        self.descriptor
    }

    /// What is wanted of it.
    #[must_use]
    pub const fn wants(&self) -> Wants {
        self.wants
    }

    /// Changes what is wanted; returns whether it is to be armed at once, to find out whether the system takes it at all.
    /// Else it is enough to do so before the next wait.
    pub(crate) fn want(&mut self, wants: Wants) -> bool {
        let first = self.standing == Standing::Unknown && !self.wants.anything();
        self.wants = wants;
        first && wants.anything()
    }

    /// Puts it into the engine's list of watches to arm; returns whether it was not there.
    pub(crate) const fn spoil(&mut self) -> bool {
        !std::mem::replace(&mut self.stale, true)
    }

    /// It left that list.
    pub(crate) const fn refresh(&mut self) {
        self.stale = false;
    }

    /// What of it is ready and wanted.
    pub(crate) const fn ready(&self) -> Wants {
        // Only a read or a write tells what the error is.
        let error = self.readiness.has_error();
        Wants {
            read: self.wants.read && (self.readiness.readable() || error),
            write: self.wants.write && (self.readiness.writable() || error),
        }
    }

    /// Has the poller watch for what is wanted, and tell what is ready now.
    ///
    /// # Errors
    /// What the system says of a descriptor that cannot be watched, such as a closed one.
    pub(crate) fn arm(&mut self, registrar: &Registrar, token: Token) -> io::Result<Armed> {
        self.readiness.used_readable();
        self.readiness.used_writable();
        self.readiness.used_error();
        if !self.wants.anything() {
            self.disarm(registrar, token);
            return Ok(Armed::Waiting);
        }
        let armed = match self.standing {
            Standing::Refused => return Ok(self.always_ready()),
            Standing::Watched => {
                match registrar.rewatch_foreign(self.descriptor, self.wants, token) {
                    // It was closed and opened again, by somebody who has not told us.  If the number is another's of
                    // ours now, the system says so.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        registrar.watch_foreign(self.descriptor, self.wants, token)
                    }
                    other => other,
                }
            }
            Standing::Unknown => registrar.watch_foreign(self.descriptor, self.wants, token),
        };
        match armed {
            Ok(()) => {
                self.standing = Standing::Watched;
                Ok(Armed::Waiting)
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.standing = Standing::Refused;
                Ok(self.always_ready())
            }
            Err(error) => {
                self.standing = Standing::Unknown;
                Err(error)
            }
        }
    }

    fn always_ready(&mut self) -> Armed {
        self.readiness.merge(true, true, false);
        Armed::Ready
    }

    /// Ends the poller's watch.
    pub(crate) fn disarm(&mut self, registrar: &Registrar, token: Token) {
        if self.standing == Standing::Watched {
            self.standing = Standing::Unknown;
            registrar.unwatch_foreign(self.descriptor, token);
        }
    }
}
