//! What a panic leaves behind: its message and, taken where it happened, its backtrace.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    /// The backtrace of this thread's last panic.
    static LAST: RefCell<Option<Backtrace>> = const { RefCell::new(None) };
}

/// Has every panic leave its backtrace.  The hook of the process can only be set once for all engines; the one that was
/// there goes on being called.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            LAST.with_borrow_mut(|last| *last = Some(Backtrace::force_capture()));
            before(info);
        }));
    });
}

/// The backtrace of this thread's last panic.
pub(crate) fn backtrace() -> String {
    LAST.take()
        .map_or_else(String::new, |backtrace| backtrace.to_string())
}

/// What was said when it happened.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
