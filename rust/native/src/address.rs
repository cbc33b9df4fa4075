//! Socket addresses as Python writes them: `(host, port)`, for IPv6 `(host, port, flow information, scope id)`, and a
//! Unix socket's path or name as `bytes`.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use torsion_reactor::Address;

use crate::names;

/// Reads an address; the host must be numeric, since looking names up is not done here.
pub(crate) fn from_python(address: &Bound<'_, PyTuple>) -> PyResult<SocketAddr> {
    let size = address.len();
    if size != 2 && size != 4 {
        return Err(PyTypeError::new_err(format!(
            "an address is (host, port) or (host, port, flowinfo, scope_id), not {size} values"
        )));
    }
    let host = address.get_item(0)?;
    let host = host.cast::<PyString>()?.to_str()?;
    let port: u16 = address.get_item(1)?.extract().map_err(|_| {
        PyValueError::new_err(format!(
            "a port is a number from 0 to 65535, not {:?}",
            address.get_item(1)
        ))
    })?;
    let ip: IpAddr = host.parse().map_err(|_| {
        PyValueError::new_err(format!(
            "the host of an address must be a numeric IPv4 or IPv6 address, not {host:?}"
        ))
    })?;
    Ok(match ip {
        IpAddr::V4(ip) => SocketAddr::from((ip, port)),
        IpAddr::V6(ip) if size == 4 => SocketAddr::V6(SocketAddrV6::new(
            ip,
            port,
            address.get_item(2)?.extract()?,
            address.get_item(3)?.extract()?,
        )),
        IpAddr::V6(ip) => SocketAddr::from((ip, port)),
    })
}

/// Writes an address.
pub(crate) fn to_python<'py>(py: Python<'py>, address: &Address) -> PyResult<Bound<'py, PyAny>> {
    let address = match address {
        Address::Inet(SocketAddr::V4(address)) => {
            (address.ip().to_string(), address.port()).into_pyobject(py)?
        }
        Address::Inet(SocketAddr::V6(address)) => (
            address.ip().to_string(),
            address.port(),
            address.flowinfo(),
            address.scope_id(),
        )
            .into_pyobject(py)?,
        Address::Unix(path) => return Ok(PyBytes::new(py, path).into_any()),
    };
    Ok(address.into_any())
}

/// Writes an address as datagram protocols are told it: `(host, port)`.  A host that is good on one link only is given
/// with its scope, such as `fe80::1%eth0`: without, nobody could answer it.
pub(crate) fn pair_to_python(py: Python<'_>, address: SocketAddr) -> PyResult<Bound<'_, PyTuple>> {
    let mut host = address.ip().to_string();
    if let SocketAddr::V6(address) = address {
        if address.scope_id() != 0 {
            host.push('%');
            match names::interface_name(py, address.scope_id()) {
                Ok(name) => host.push_str(&name),
                Err(_) => host.push_str(&address.scope_id().to_string()), // that link is gone
            }
        }
    }
    (host, address.port()).into_pyobject(py)
}

/// Reads the scope of an address, an interface's name or number.
pub(crate) fn scope_from_python(py: Python<'_>, scope: &str) -> PyResult<u32> {
    match scope.parse() {
        Ok(index) => Ok(index),
        Err(_) => names::interface_index(py, scope),
    }
}

/// Writes the path of a Unix socket as Python's own sockets do: `str`, but `bytes` for an abstract name, and None for a
/// socket that has no name.
pub(crate) fn path_to_python<'py>(py: Python<'py>, path: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    match path.first() {
        None => Ok(py.None().into_bound(py)),
        Some(0) => Ok(PyBytes::new(py, path).into_any()),
        Some(_) => names::decode_path(py, path),
    }
}

/// Reads the path of a Unix socket: `str`, `bytes` or a path object.
pub(crate) fn path_from_python(path: &Bound<'_, PyAny>) -> PyResult<Address> {
    if let Ok(path) = path.cast::<PyBytes>() {
        return Ok(Address::Unix(path.as_bytes().into()));
    }
    let encoded = names::encode_path(path)?;
    Ok(Address::Unix(encoded.as_bytes().into()))
}
