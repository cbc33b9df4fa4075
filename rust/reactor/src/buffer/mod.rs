//! Bytes on their way: those to be written wait in an [`Outbox`](outbox::Outbox), those received pass through the
//! loop's [`ReadBuffer`](inbox::ReadBuffer).

/// Whether a short read or write shows that the system has no more, or takes no more, for now.
///
/// On Windows it does, too, but the poller there speaks again only after a call that would have blocked.
pub(crate) const SHORT_IS_LAST: bool = cfg!(unix);

pub mod inbox;
pub mod outbox;
pub mod part;
