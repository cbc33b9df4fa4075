//! Pipes and terminals to open.

use std::fs::File;
use std::os::fd::OwnedFd;

/// What reads and what writes.
pub(crate) fn pipe() -> (File, File) {
    let (reader, writer) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    (reader.into(), writer.into())
}

/// Both ends of a terminal that passes bytes on as they are.
pub(crate) fn terminal() -> (OwnedFd, File) {
    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&near).expect("a terminal");
    unlockpt(&near).expect("a terminal");
    let name = ptsname(&near, Vec::new()).expect("a terminal");
    let far =
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("a terminal");
    let mut settings = tcgetattr(&far).expect("a terminal");
    settings.make_raw();
    tcsetattr(&far, OptionalActions::Now, &settings).expect("a terminal");
    (near, far.into())
}
