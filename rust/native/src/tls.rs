//! `TLSContext`: what connections that are secured alike share; and what failed, in Python's form.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use torsion_reactor::Failure;
use torsion_reactor::TlsConfig;
use torsion_reactor::security::Details;
use torsion_reactor::tls::{
    ClientOptions, ConfigError, Identity, Options, ServerOptions, group_names, suite_names,
};

/// A chain of certificates and its key, in DER.
type Certified = (Vec<Vec<u8>>, Vec<u8>);

/// What connections that are secured alike share.
#[pyclass(frozen, weakref, name = "TLSContext", module = "torsion._native")]
pub(crate) struct PyTlsContext {
    config: TlsConfig,
}

impl PyTlsContext {
    pub(crate) const fn config(&self) -> &TlsConfig {
        &self.config
    }
}

#[pymethods]
impl PyTlsContext {
    #[staticmethod]
    #[pyo3(signature = (
        *, chains, names = HashMap::new(), client_roots = None, client_required = false, alpn = Vec::new(),
        versions = (0x0303, 0x0304), suites = None, groups = None, tickets = true, sessions = true, key_log = None,
        handshake_timeout = 30.0
    ))]
    #[expect(clippy::too_many_arguments, reason = "all by keyword")]
    fn server(
        py: Python<'_>,
        chains: Vec<Certified>,
        names: HashMap<String, usize>,
        client_roots: Option<Vec<Vec<u8>>>,
        client_required: bool,
        alpn: Vec<Vec<u8>>,
        versions: (u16, u16),
        suites: Option<Vec<String>>,
        groups: Option<Vec<String>>,
        tickets: bool,
        sessions: bool,
        key_log: Option<PathBuf>,
        handshake_timeout: f64,
    ) -> PyResult<Self> {
        let options = options(alpn, versions, suites, groups, key_log, handshake_timeout)?;
        TlsConfig::server(ServerOptions {
            identities: chains.into_iter().map(identity).collect(),
            names: names.into_iter().collect(),
            client_roots,
            client_required,
            tickets,
            sessions,
            options,
        })
        .map(|config| Self { config })
        .map_err(|problem| refuse(py, &problem))
    }

    #[staticmethod]
    #[pyo3(signature = (
        *, roots, verify = true, check_name = true, identity = None, alpn = Vec::new(), versions = (0x0303, 0x0304),
        suites = None, groups = None, resumption = true, send_name = true, key_log = None, handshake_timeout = 30.0
    ))]
    #[expect(clippy::too_many_arguments, reason = "all by keyword")]
    fn client(
        py: Python<'_>,
        roots: Option<Vec<Vec<u8>>>,
        verify: bool,
        check_name: bool,
        identity: Option<Certified>,
        alpn: Vec<Vec<u8>>,
        versions: (u16, u16),
        suites: Option<Vec<String>>,
        groups: Option<Vec<String>>,
        resumption: bool,
        send_name: bool,
        key_log: Option<PathBuf>,
        handshake_timeout: f64,
    ) -> PyResult<Self> {
        if roots.is_none() && verify {
            return Err(PyValueError::new_err(
                "roots is None, so there is nobody whose certificates could be verified; give roots, or verify=False",
            ));
        }
        let options = options(alpn, versions, suites, groups, key_log, handshake_timeout)?;
        TlsConfig::client(ClientOptions {
            roots: roots.unwrap_or_default(),
            verify,
            check_name,
            identity: identity.map(self::identity),
            resumption,
            send_name,
            options,
        })
        .map(|config| Self { config })
        .map_err(|problem| refuse(py, &problem))
    }

    #[getter]
    fn is_client(&self) -> bool {
        self.config.is_client()
    }

    #[staticmethod]
    #[pyo3(name = "suite_names")]
    fn suites() -> Vec<String> {
        suite_names()
    }

    #[staticmethod]
    #[pyo3(name = "group_names")]
    fn groups() -> Vec<String> {
        group_names()
    }
}

fn identity((chain, key): Certified) -> Identity {
    Identity { chain, key }
}

fn options(
    alpn: Vec<Vec<u8>>,
    versions: (u16, u16),
    suites: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    key_log: Option<PathBuf>,
    handshake_timeout: f64,
) -> PyResult<Options> {
    let handshake_patience = Duration::try_from_secs_f64(handshake_timeout)
        .ok()
        .filter(|patience| !patience.is_zero())
        .ok_or_else(|| {
            PyValueError::new_err(format!(
                "handshake_timeout is a number of seconds above 0, not {handshake_timeout}"
            ))
        })?;
    if let Some(bad) = alpn.iter().find(|name| !(1..=255).contains(&name.len())) {
        return Err(PyValueError::new_err(format!(
            "an application protocol's name has 1 to 255 bytes, not {}",
            bad.len()
        )));
    }
    Ok(Options {
        alpn,
        versions,
        suites,
        groups,
        key_log,
        handshake_patience,
    })
}

/// What of a context cannot be used.
fn refuse(py: Python<'_>, problem: &ConfigError) -> PyErr {
    match problem {
        ConfigError::KeyLog(path, error) => {
            let refused = (error.raw_os_error(), error.to_string(), path.clone());
            match refused.into_pyobject(py) {
                Ok(arguments) => PyOSError::new_err(arguments.unbind()),
                Err(worse) => worse,
            }
        }
        _ => PyValueError::new_err(problem.to_string()),
    }
}

/// What `lost` is told of a failure: its kind, a sentence, and a dict of what else is known, or None.
pub(crate) fn details<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyTuple>> {
    let more = match &failure.details {
        Details::None => None,
        known => {
            let more = PyDict::new(py);
            match known {
                Details::Since(seconds) => more.set_item("since", seconds)?,
                Details::Until(seconds) => more.set_item("until", seconds)?,
                Details::Names { wanted, names } => {
                    more.set_item("wanted", wanted)?;
                    more.set_item("names", names)?;
                }
                Details::What(what) => more.set_item("what", what)?,
                Details::Alert(number) => more.set_item("alert", number)?,
                Details::Time(time) => more.set_item("seconds", time.as_secs_f64())?,
                Details::Received(bytes) => more.set_item("received", PyBytes::new(py, bytes))?,
                Details::Offered(names) => {
                    let names: Vec<_> = names.iter().map(|name| PyBytes::new(py, name)).collect();
                    more.set_item("offered", names)?;
                }
                _ => {}
            }
            Some(more)
        }
    };
    (failure.kind.word(), failure.message.as_str(), more).into_pyobject(py)
}
