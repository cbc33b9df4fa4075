//! Every Python name that Rust looks up.
//!
//! `intern!` makes each string once and for all, so a lookup is a comparison of pointers.  Exceptions belong to Python:
//! they are imported when one is first raised, never when the module is loaded.

macro_rules! names {
    ($($(#[$doc:meta])* $function:ident = $name:literal;)*) => {
        $(
            $(#[$doc])*
            #[inline]
            pub(crate) fn $function(py: pyo3::Python<'_>) -> &pyo3::Bound<'_, pyo3::types::PyString> {
                pyo3::intern!(py, $name)
            }
        )*
    };
}

names! {
    /// `IProtocol`: bytes were received.
    data_received = "dataReceived";
    /// `IHalfCloseableProtocol`; whether the protocol has it decides whether its owner is asked at all.
    read_connection_lost = "readConnectionLost";
    /// `IPushProducer`.
    pause_producing = "pauseProducing";
    /// `IPushProducer` and `IPullProducer`.
    resume_producing = "resumeProducing";
    /// `IProducer`.
    stop_producing = "stopProducing";
    /// Receivers of lines.
    transport = "transport";
    delimiter = "delimiter";
    write = "write";
    line_received = "lineReceived";
    line_length_exceeded = "lineLengthExceeded";
    raw_data_received = "rawDataReceived";
    line_mode = "line_mode";
    paused = "paused";
    max_length = "MAX_LENGTH";
    disconnecting = "disconnecting";
    /// Owners.
    accepted = "accepted";
    accept_failed = "accept_failed";
    connected = "connected";
    connect_failed = "connect_failed";
    eof = "eof";
    write_closed = "write_closed";
    lost = "lost";
    raised = "raised";
    ready = "ready";
    watch_failed = "watch_failed";
}

pub(crate) mod errors {
    //! The exceptions of `torsion.internet.error`.
    use pyo3::import_exception;

    import_exception!(torsion.internet.error, AlreadyCalled);
    import_exception!(torsion.internet.error, AlreadyCancelled);
    import_exception!(torsion.internet.error, WrongProcessError);
    import_exception!(torsion.internet.error, WrongThreadError);
}
