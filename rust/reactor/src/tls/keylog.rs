//! A file of session keys, with which a debugger of networks reads what was captured (`SSLKEYLOGFILE`).

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

/// Appends each connection's secrets to a file, one a line.
#[derive(Debug)]
pub struct KeyFile {
    file: Mutex<File>,
}

impl KeyFile {
    /// Opens the file, which nobody but its owner may read if it is made here.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        Ok(Self {
            file: Mutex::new(options.open(path)?),
        })
    }
}

impl KeyLog for KeyFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line =
            String::with_capacity(label.len() + 2 * (client_random.len() + secret.len()) + 3);
        line.push_str(label);
        for field in [client_random, secret] {
            line.push(' ');
            for byte in field {
                let _ = write!(line, "{byte:02x}"); // into memory, which does not fail
            }
        }
        line.push('\n');
        // One write for each line, so that processes may share the file.  A connection is worth more than its log.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(line.as_bytes());
    }
}
