//! Parts of files that are sent between the bytes that a program writes.

use std::fs::File;
use std::io::{self, Write};

/// What an outbox is flushed to.
pub trait Way: Write {
    /// Writes bytes behind which a part of a file follows at once.
    ///
    /// # Errors
    /// As `write`.
    fn write_before_file(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    /// Sends up to `count` bytes of `file`, from `offset` on; 0 if it ends there.
    ///
    /// # Errors
    /// As `write`, and whatever reading the file fails with.
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize>;
}

/// A part of a file that is still to be sent.  The file is closed when this is dropped.
#[derive(Debug)]
pub struct FilePart {
    file: File,
    offset: u64,
    left: usize,
}

impl FilePart {
    /// The `count` bytes of `file` from `offset` on.
    #[must_use]
    pub const fn new(file: File, offset: u64, count: usize) -> Self {
        Self {
            file,
            offset,
            left: count,
        }
    }

    /// How many bytes are left to be sent.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.left
    }

    /// Whether none are.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Sends at most `limit` bytes; returns how many.
    pub(super) fn send(&mut self, way: &mut impl Way, limit: usize) -> io::Result<usize> {
        let count = self.left.min(limit.max(1));
        match way.send_file(&self.file, self.offset, count)? {
            0 => Err(ended_early()),
            taken => {
                let taken = taken.min(count);
                self.offset += taken as u64;
                self.left -= taken;
                Ok(taken)
            }
        }
    }
}

/// The file is shorter than it was when its part was queued: what was promised cannot be sent.
fn ended_early() -> io::Error {
    #[cfg(unix)]
    return io::Error::from_raw_os_error(libc::ENODATA);
    #[cfg(not(unix))]
    io::ErrorKind::UnexpectedEof.into()
}
