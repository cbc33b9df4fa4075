//! The process's descriptors: how many there are, and too few of them.

use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Held by tests that count or use up what all tests of a process share.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits for its turn; every test of a file that counts descriptors has to ask.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many descriptors this process has open; the one that is used to count is not.
pub(crate) fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count() - 1
}

/// The end of descriptors: a lower limit, and files that use up what is below it.  Ends when it is dropped.
pub(crate) struct Famine {
    before: Rlimit,
    files: Vec<File>,
}

impl Famine {
    /// Leaves no descriptor to be had.
    pub(crate) fn begin() -> Self {
        let before = getrlimit(Resource::Nofile);
        let mut famine = Self {
            files: Vec::new(),
            before,
        };
        let limit = open_descriptors() as u64 + 64;
        famine.limit(limit);
        famine.starve();
        famine
    }

    fn limit(&self, current: u64) {
        let limit = Rlimit {
            current: Some(current),
            ..self.before
        };
        setrlimit(Resource::Nofile, limit).expect("a lower limit");
    }

    /// Takes what has become free since.
    pub(crate) fn starve(&mut self) {
        while let Ok(file) = File::open("/dev/null") {
            self.files.push(file);
        }
    }

    /// Gives `count` descriptors back.
    pub(crate) fn spare(&mut self, count: usize) {
        let left = self.files.len().checked_sub(count).expect("so many");
        self.files.truncate(left);
    }
}

impl Drop for Famine {
    fn drop(&mut self) {
        self.files.clear();
        let _ = setrlimit(Resource::Nofile, self.before);
    }
}
