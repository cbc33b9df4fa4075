//! `spawn`: a new process, from a parent that may be large and have threads.
//!
//! The child shares the parent's memory until it runs its own program (Linux's `CLONE_VM | CLONE_VFORK`, as `posix_spawn`
//! does), so that making it costs the same however large the parent is; only the calling thread waits meanwhile, for some
//! hundred microseconds.  It runs [`child`] then, which may only make calls to the system: no memory of the heap, no locks,
//! nothing of Python's.  What `posix_spawn` itself cannot do (a controlling terminal, any descriptor to any number, other
//! users) is why this is written by hand.
//!
//! As it shares the memory, the child also tells the parent what went wrong, without a pipe.
#![cfg(unix)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error;

/// How much stack the child has until it runs its own program: a dozen calls to the system.
const STACK: usize = 64 * 1024;

/// What a child exits with that could not run its program; nobody should mistake it for the program's own.
const FAILED: c_int = 1;

/// All that the child needs, ready to be handed to the system.
struct Plan {
    /// Paths to try, in this order.
    programs: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    directory: Option<CString>,
    /// The child's numbers, ascending, and which of ours each is.
    descriptors: Vec<(c_int, c_int)>,
    /// Whether it leads a session of its own.
    session: bool,
    /// The number, among the child's, of what becomes the session's terminal.
    terminal: Option<c_int>,
    user: Option<u32>,
    group: Option<u32>,
    groups: Option<Vec<u32>>,
}

/// What the child is given: nothing of it is made, changed in size or freed in there.
struct Order<'a> {
    plan: &'a Plan,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    /// Room for our descriptors while they are moved to their places.
    moved: Vec<c_int>,
    /// The error that kept the child from its program.
    errno: AtomicI32,
}

/// Start a process.
///
/// Returns its number, a descriptor that is readable once it is over (-1 where the system has none), and the error that kept
/// it from running the program, 0 for none: it exits then, with status 1.
#[pyfunction]
#[pyo3(signature = (
    programs, arguments, environment, directory, descriptors, *,
    session = false, terminal = None, user = None, group = None, groups = None
))]
#[expect(
    clippy::too_many_arguments,
    reason = "as many as a process has properties"
)]
pub(crate) fn spawn(
    programs: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    directory: Option<Vec<u8>>,
    mut descriptors: Vec<(c_int, c_int)>,
    session: bool,
    terminal: Option<c_int>,
    user: Option<u32>,
    group: Option<u32>,
    groups: Option<Vec<u32>>,
) -> PyResult<(i32, i32, i32)> {
    if programs.is_empty() {
        return Err(PyValueError::new_err("there is no program to run"));
    }
    if let Some((number, ours)) = descriptors
        .iter()
        .find(|(number, ours)| *number < 0 || *ours < 0)
    {
        return Err(PyValueError::new_err(format!(
            "descriptor {ours} cannot be the child's {number}: both must be open, and so not negative"
        )));
    }
    descriptors.sort_unstable();
    let plan = Plan {
        programs: strings("program", programs)?,
        arguments: strings("argument", arguments)?,
        environment: strings("variable", environment)?,
        directory: directory
            .map(|path| string("directory", path))
            .transpose()?,
        descriptors,
        session,
        terminal,
        user,
        group,
        groups,
    };
    let order = Order {
        argv: pointers(&plan.arguments),
        envp: pointers(&plan.environment),
        moved: vec![-1; plan.descriptors.len()],
        errno: AtomicI32::new(0),
        plan: &plan,
    };
    let (process, descriptor) = start(&order).map_err(|problem| error::system(&problem))?;
    Ok((process, descriptor, order.errno.load(Ordering::Relaxed)))
}

fn strings(what: &str, values: Vec<Vec<u8>>) -> PyResult<Vec<CString>> {
    values
        .into_iter()
        .map(|value| string(what, value))
        .collect()
}

/// A string as the system takes it.
fn string(what: &str, value: Vec<u8>) -> PyResult<CString> {
    CString::new(value).map_err(|problem| {
        PyValueError::new_err(format!(
            "a {what} of a process must not contain a null byte, as {:?} does",
            String::from_utf8_lossy(&problem.into_vec())
        ))
    })
}

/// The list of pointers that `execve` takes, which ends with a null one.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// Makes the child, with all signals held back until it has made itself its own: a handler of ours that ran in there would
/// run in our memory.
fn start(order: &Order<'_>) -> std::io::Result<(i32, i32)> {
    let before = block_signals();
    let started = clone(order);
    #[expect(unsafe_code, reason = "giving the thread its signals back")]
    // SAFETY: the set is the one that the system gave us.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
    }
    started
}

/// Holds all signals of this thread back; returns which were held back before.
fn block_signals() -> libc::sigset_t {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    #[expect(unsafe_code, reason = "sets of signals are filled in by the system")]
    // SAFETY: this fills the whole set.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
    }
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: the first set is filled, and the second one is filled here.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: it was filled by the call above, which cannot fail for this argument.
    unsafe {
        before.assume_init()
    }
}

/// A child in our memory, on a stack of its own, while we wait.  One that becomes another user gets a copy of the memory
/// instead: that user's processes could look into ours while it is shared.
#[cfg(target_os = "linux")]
fn clone(order: &Order<'_>) -> std::io::Result<(i32, i32)> {
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    let mut descriptor: c_int = -1;
    let private = order.plan.user.is_some() || order.plan.group.is_some();
    let sharing = if private {
        0
    } else {
        libc::CLONE_VM | libc::CLONE_VFORK
    };
    let top = stack.as_mut_ptr_range().end;
    #[expect(unsafe_code, reason = "the system call that this file is about")]
    // SAFETY: the stack is aligned, grows down from its end and outlives the child's use of it, as does the order: we go on
    // only when the child has its own memory.  The function does not return to us, nor touch what another thread may hold.
    let process = unsafe {
        libc::clone(
            child,
            top.cast::<c_void>(),
            sharing | libc::CLONE_PIDFD | libc::SIGCHLD,
            ptr::from_ref(order).cast_mut().cast::<c_void>(),
            &raw mut descriptor,
        )
    };
    if process < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok((process, descriptor))
}

/// A child with a copy of our memory: what goes wrong in there, only its exit status tells.
#[cfg(not(target_os = "linux"))]
fn clone(order: &Order<'_>) -> std::io::Result<(i32, i32)> {
    #[expect(unsafe_code, reason = "the system call that this file is about")]
    // SAFETY: the child calls nothing but `child`, which is good after a fork.
    let process = unsafe { libc::fork() };
    match process {
        0 => {
            let status = child(ptr::from_ref(order).cast_mut().cast::<c_void>());
            #[expect(unsafe_code, reason = "as in `child`")]
            // SAFETY: it ends the process.
            unsafe {
                libc::_exit(status)
            }
        }
        ..0 => Err(std::io::Error::last_os_error()),
        _ => Ok((process, -1)),
    }
}

/// What the child does.  Returns, to exit with that, only if it could not become its program.
extern "C" fn child(order: *mut c_void) -> c_int {
    #[expect(unsafe_code, reason = "the only way to hand something to it")]
    // SAFETY: `clone` gave us this, and it is alive for as long as we run on its memory.
    let order = unsafe { &mut *order.cast::<Order<'_>>() };
    let errno = match become_program(order) {
        Ok(never) => match never {},
        Err(errno) => errno,
    };
    order.errno.store(errno, Ordering::Relaxed);
    #[expect(
        unsafe_code,
        reason = "the child must not return into what its parent is in the middle of"
    )]
    // SAFETY: it ends this process, and nothing of the parent's.
    unsafe {
        libc::_exit(FAILED)
    }
}

/// Nothing: what there is of a success.
enum Never {}

fn become_program(order: &mut Order<'_>) -> Result<Never, c_int> {
    let plan = order.plan;
    if plan.session {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes nothing.
        checked(unsafe { libc::setsid() })?;
    }
    place_descriptors(&plan.descriptors, &mut order.moved)?;
    if let Some(terminal) = plan.terminal {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: the descriptor is a number, which the system checks.
        checked(unsafe { libc::ioctl(terminal, libc::TIOCSCTTY as _, 0) })?;
    }
    if let Some(directory) = &plan.directory {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: the string ends with a null byte.
        checked(unsafe { libc::chdir(directory.as_ptr()) })?;
    }
    become_user(plan)?;
    reset_signals();
    let mut errno = libc::ENOENT;
    for program in &plan.programs {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: strings and lists end as they should; it returns only if it fails.
        unsafe {
            libc::execve(program.as_ptr(), order.argv.as_ptr(), order.envp.as_ptr());
        }
        // What was found and may not be run says more than what was not found.
        match last_error() {
            libc::ENOENT | libc::ENOTDIR => {}
            other => errno = other,
        }
    }
    Err(errno)
}

/// Gives each descriptor its number, and closes all others.
fn place_descriptors(places: &[(c_int, c_int)], moved: &mut [c_int]) -> Result<(), c_int> {
    // First out of each other's way: one's number may be another's place.
    let above = places.last().map_or(0, |(number, _)| number + 1);
    for ((_, ours), spare) in places.iter().zip(moved.iter_mut()) {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes numbers, which the system checks.
        let copy = unsafe { libc::fcntl(*ours, libc::F_DUPFD_CLOEXEC, above) };
        *spare = checked(copy)?;
    }
    for ((number, _), spare) in places.iter().zip(moved.iter()) {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: as above.
        checked(unsafe { libc::dup2(*spare, *number) })?;
    }
    let mut free = 0;
    for (number, _) in places {
        close_from_to(free, number - 1);
        free = number + 1;
    }
    close_from_to(free, c_int::MAX);
    Ok(())
}

/// Closes descriptors, from one number to another, both included.
fn close_from_to(first: c_int, last: c_int) {
    /// How many numbers are tried one by one where the system cannot close a range of them.
    const TRIES: c_int = 65_536;
    if first > last {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes numbers; nothing here uses the descriptors any more.
        let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        if closed == 0 {
            return;
        }
    }
    for number in first..=last.min(TRIES) {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: as above.
        unsafe {
            libc::close(number);
        }
    }
}

/// Becomes another user.  The C library would have all threads do so, which are the parent's: the system is asked itself.
fn become_user(plan: &Plan) -> Result<(), c_int> {
    if let Some(groups) = &plan.groups {
        #[cfg(target_os = "linux")]
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: the list is as long as is said.
        checked_long(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })?;
        #[cfg(not(target_os = "linux"))]
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: the list is as long as is said.
        checked(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) })?;
    }
    if let Some(group) = plan.group {
        #[cfg(target_os = "linux")]
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes numbers.
        checked_long(unsafe { libc::syscall(libc::SYS_setresgid, group, group, group) })?;
        #[cfg(not(target_os = "linux"))]
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes a number.
        checked(unsafe { libc::setgid(group) })?;
    }
    if let Some(user) = plan.user {
        #[cfg(target_os = "linux")]
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes numbers.
        checked_long(unsafe { libc::syscall(libc::SYS_setresuid, user, user, user) })?;
        #[cfg(not(target_os = "linux"))]
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: it takes a number.
        checked(unsafe { libc::setuid(user) })?;
    }
    Ok(())
}

/// Gives all signals their default meaning, as the interpreter ignores some, and lets them in.
fn reset_signals() {
    /// The highest number that a signal has, on Linux; elsewhere there are fewer, and the rest is refused.
    const LAST: c_int = 64;
    #[expect(
        unsafe_code,
        reason = "all bits zero stands for the default, and for no signal held back"
    )]
    // SAFETY: these are structures of numbers and an optional function.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    for signal in 1..=LAST {
        #[expect(unsafe_code, reason = "a call to the system")]
        // SAFETY: the structure is whole; signals that cannot be changed are refused.
        unsafe {
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        }
    }
    let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    #[expect(unsafe_code, reason = "sets of signals are filled in by the system")]
    // SAFETY: this fills the whole set.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
    }
    #[expect(unsafe_code, reason = "a call to the system")]
    // SAFETY: the set was filled above.
    unsafe {
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

fn checked(answer: c_int) -> Result<c_int, c_int> {
    if answer < 0 {
        Err(last_error())
    } else {
        Ok(answer)
    }
}

#[cfg(target_os = "linux")]
fn checked_long(answer: std::ffi::c_long) -> Result<(), c_int> {
    if answer < 0 {
        Err(last_error())
    } else {
        Ok(())
    }
}

/// The number of the last call's error.
fn last_error() -> c_int {
    std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EINVAL)
}
