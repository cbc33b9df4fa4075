//! Every Python name that Rust looks up.
//!
//! `intern!` makes each string once and for all, so a lookup is a comparison of pointers.  Exceptions belong to Python:
//! they are imported when one is first raised, never when the module is loaded.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyType};

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
    /// Diverts, by `ITCPTransport` and `IConsumer`.
    write_sequence = "writeSequence";
    lose_connection = "loseConnection";
    abort_connection = "abortConnection";
    lose_write_connection = "loseWriteConnection";
    register_producer = "registerProducer";
    unregister_producer = "unregisterProducer";
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
    /// `IDatagramProtocol`, as it were: a datagram was received.
    datagram_received = "datagramReceived";
    /// `IFileDescriptorReceiver`; whether the protocol has it decides whether descriptors are asked for.
    #[cfg(unix)]
    file_descriptor_received = "fileDescriptorReceived";
    /// Owners.
    accepted = "accepted";
    accept_failed = "accept_failed";
    connected = "connected";
    connect_failed = "connect_failed";
    eof = "eof";
    write_closed = "write_closed";
    failed = "failed";
    unsent = "unsent";
    lost = "lost";
    secured = "secured";
    #[cfg(unix)]
    passed = "passed";
    raised = "raised";
    ready = "ready";
    watch_failed = "watch_failed";
    /// Deferreds, their failures, and what is remembered of them.
    callback = "callback";
    errback = "errback";
    cancel = "cancel";
    debug = "debug";
    capture_vars = "captureVars";
    fail_result = "failResult";
    creator = "creator";
    invoker = "invoker";
    note_added = "note_added";
    value = "value";
    traceback = "__traceback__";
    tb = "tb";
    kind = "type";
    count = "count";
    init = "__init__";
    new = "__new__";
    raise_exception = "raiseException";
    throw = "throw";
    throw_exception_into_generator = "throwExceptionIntoGenerator";
    /// Requests to a server, and the channels over which they come.
    channel = "channel";
    few = "_few";
    set_header_anyway = "_setHeader";
    started_writing = "startedWriting";
    sent_length = "sentLength";
    finished = "finished";
    unusual = "_unusual";
    usual = "_usual";
    method = "method";
    uri = "uri";
    path = "path";
    client_protocol = "clientproto";
    code = "code";
    code_message = "code_message";
    server_name = "serverName";
    default_content_type = "defaultContentType";
    factory = "factory";
    silent = "silent";
    log = "log";
    past = "_past";
    clean_up = "_cleanup";
    requests = "requests";
    head = "_head";
    process = "process";
    process_form = "_process_form";
    content = "content";
    close = "close";
    length = "_length";
    keeps = "_keeps";
    site = "site";
    streams_bodies = "streamsBodies";
    get_content_file = "getContentFile";
    have_body = "_have_body";
    max_body_size = "maxBodySize";
    closing = "_closing";
    waiting_for_transport = "_waitingForTransport";
    network_paused = "_networkPaused";
    waits = "_waits";
    reading = "_reading";
    read = "_read";
    take_data = "_take";
    attributes = "_attributes";
    reader = "_reader";
    request_factory = "requestFactory";
    request_timeout = "requestTimeout";
    served = "_served";
    quiet = "_quiet";
    time_out = "timeOut";
    reset_timeout = "resetTimeout";
    timeout_call = "_TimeoutMixin__timeoutCall";
    /// Exceptions of a module that an owner brought along.
    already_called = "AlreadyCalled";
    already_cancelled = "AlreadyCancelled";
}

pub(crate) mod errors {
    //! The exceptions of `torsion.internet.error`.
    use pyo3::import_exception;

    import_exception!(torsion.internet.error, AlreadyCalled);
    import_exception!(torsion.internet.error, AlreadyCancelled);
    import_exception!(torsion.internet.error, InvalidAddressError);
    import_exception!(torsion.internet.error, MessageLengthError);
    import_exception!(torsion.internet.error, WrongProcessError);
    import_exception!(torsion.internet.error, WrongThreadError);
}

macro_rules! imported {
    ($($(#[$doc:meta])* $function:ident: $kind:ty = $module:literal, $name:literal;)*) => {
        $(
            $(#[$doc])*
            #[inline]
            pub(crate) fn $function(py: pyo3::Python<'_>) -> pyo3::PyResult<&pyo3::Bound<'_, $kind>> {
                static PLACE: pyo3::sync::PyOnceLock<pyo3::Py<$kind>> = pyo3::sync::PyOnceLock::new();
                PLACE.import(py, $module, $name)
            }
        )*
    };
}

imported! {
    failure: PyType = "torsion.python.failure", "Failure";
    failure_globals: PyDict = "torsion.python.failure", "__dict__";
    plain_failure_init: PyAny = "torsion.python.failure", "_plain_init";
    /// What the native Deferred leaves to Python, which is what happens rarely.
    debug_info: PyAny = "torsion.internet.defer._debug", "DebugInfo";
    callers: PyAny = "torsion.internet.defer._debug", "callers";
    warn_circular: PyAny = "torsion.internet.defer._debug", "warn_circular";
    passthru: PyAny = "torsion.internet.defer._debug", "passthru";
    fired_before: PyAny = "torsion.internet.defer._debug", "fired_before";
    cancelled: PyAny = "torsion.internet.defer._debug", "cancelled";
    not_a_coroutine: PyAny = "torsion.internet.defer._errors", "not_a_coroutine";
    go_on: PyAny = "torsion.internet.defer._kinds", "GO_ON";
    is_steps: PyAny = "torsion.internet.defer._driver", "is_steps";
    returned: PyAny = "torsion.internet.defer._driver", "Return";
    check_place: PyAny = "torsion.internet.defer._driver", "check_place";
    taken_in: PyAny = "torsion.internet.defer._foreign", "taken_in";
    given_out: PyAny = "torsion.internet.defer._foreign", "given_out";
    add_timeout: PyAny = "torsion.internet.defer._outside", "add_timeout";
    to_future: PyAny = "torsion.internet.defer._outside", "to_future";
    /// Requests to a server.
    bytes_io: PyAny = "io", "BytesIO";
    written_headers: PyDict = "torsion.web.http_headers", "_written";
    http_date: PyAny = "torsion.web.http.dates", "now";
    from_future: PyAny = "torsion.internet.defer._outside", "from_future";
}

/// A function of Python's own library, for what is asked for rarely.
#[expect(clippy::disallowed_methods, reason = "the names are listed below")]
fn function<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(name)
}

/// The name of a network interface.
pub(crate) fn interface_name(py: Python<'_>, index: u32) -> PyResult<String> {
    function(py, "socket", "if_indextoname")?
        .call1((index,))?
        .extract()
}

/// The number of a network interface.
pub(crate) fn interface_index(py: Python<'_>, name: &str) -> PyResult<u32> {
    function(py, "socket", "if_nametoindex")?
        .call1((name,))?
        .extract()
}

/// A path as Python's own library writes it.
pub(crate) fn decode_path<'py>(py: Python<'py>, path: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    function(py, "os", "fsdecode")?.call1((PyBytes::new(py, path),))
}

/// A path as the system reads it.
pub(crate) fn encode_path<'py>(path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(function(path.py(), "os", "fsencode")?
        .call1((path,))?
        .cast_into()?)
}
