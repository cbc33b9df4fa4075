//! `torsion._native._core`: the engine of `torsion-reactor` for Python.
//!
//! Start in `engine.rs` for what Python may call, in `upcall.rs` for what Rust calls.

mod address;
mod bytes;
mod call;
mod connector;
mod datagram;
mod deferred;
#[cfg(unix)]
mod descriptor;
mod engine;
mod error;
mod figures;
mod handles;
mod http1;
mod lines;
mod listener;
mod names;
#[cfg(unix)]
mod opened;
mod panic;
mod peers;
mod serving;
mod shared;
mod slot;
#[cfg(unix)]
mod spawn;
mod stream;
#[cfg(feature = "test-support")]
mod test_support;
mod thread;
mod timer;
mod tls;
mod upcall;
mod watch;

/// The native engine: what crosses between Python and Rust.
// Free-threading is declared only once the many-thread stress has passed on such a build.
#[pyo3::pymodule(gil_used = true)]
mod _core {
    use pyo3::prelude::*;
    use torsion_reactor::CloseReason;

    #[pymodule_export]
    use crate::connector::PyConnector;
    #[pymodule_export]
    use crate::datagram::PyDatagram;
    #[pymodule_export]
    use crate::deferred::{PyAwaiter, PyDeferred, collect_fired};
    #[pymodule_export]
    use crate::engine::PyEngine;
    #[pymodule_export]
    use crate::http1::{PyHttpAnswer, PyHttpHead, PyHttpReader, PyHttpReceiver, PyHttpWriter};
    #[pymodule_export]
    use crate::lines::{PyLineDelivery, PyLineSender};
    #[pymodule_export]
    use crate::listener::PyListener;
    #[pymodule_export]
    use crate::stream::{PyBypass, PyStream};
    #[pymodule_export]
    use crate::timer::PyTimer;
    #[pymodule_export]
    use crate::tls::PyTlsContext;
    #[pymodule_export]
    use crate::watch::PyWatch;

    #[cfg(unix)]
    #[pymodule_export]
    use crate::spawn::spawn;

    #[cfg(feature = "test-support")]
    #[pymodule]
    mod test_support {
        #[pymodule_export]
        use crate::test_support::panic_in;
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::panic::watch();
        crate::deferred::install(module)?;
        module.add("REASON_DONE", CloseReason::Done.code())?;
        module.add("REASON_LOST", CloseReason::Lost(0).code())?;
        module.add("REASON_ABORTED", CloseReason::Aborted.code())?;
        module.add("REASON_RAISED", CloseReason::Raised.code())?;
        module.add("REASON_TLS", CloseReason::Tls.code())?;
        module.add("REASON_OVERRUN", CloseReason::Overrun.code())
    }
}
