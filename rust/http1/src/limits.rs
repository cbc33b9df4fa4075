//! How much a peer may ask us to keep.

/// The most that a message may have beside its body, in bytes; a body is handed on as it comes, and never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The request line, or the status line.  8,000 is what RFC 9112, 3 asks for at least.
    pub line: usize,
    /// The head with its first line, and trailers by themselves.  What browsers send with many cookies is below half of it.
    pub head: usize,
    /// How many fields a head may have, and trailers; not more than [`Limits::MOST_FIELDS`].
    pub fields: usize,
    /// The extensions of all chunks of a body together.  Nobody uses them; they are there to be ignored.
    pub extensions: usize,
}

impl Limits {
    /// The most fields that can be asked for: room for them is on the stack while a head is read.
    pub const MOST_FIELDS: usize = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 16 * 1024,
            head: 64 * 1024,
            fields: 128,
            extensions: 4 * 1024,
        }
    }
}
