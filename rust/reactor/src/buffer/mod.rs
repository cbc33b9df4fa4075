//! Bytes on their way: those to be written wait in an [`Outbox`](outbox::Outbox), those received pass through the
//! loop's [`ReadBuffer`](inbox::ReadBuffer).

pub mod inbox;
pub mod outbox;
