//! The addresses that datagrams come from, as Python's tuples.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::address;

/// How many peers are remembered, once there is more than one.  Making a tuple costs more than all else that Python's side
/// of a datagram does; a peer has a place for itself with good chance as long as there are fewer than this.
const PLACES: usize = 64;

/// Remembers peers by their addresses, each at the one place that its address gives it.
#[derive(Default)]
pub(crate) struct Peers(Mutex<Vec<Place>>);

/// Whose place it is, and that one's tuple.
type Place = Option<(SocketAddr, Py<PyTuple>)>;

impl Peers {
    /// The tuple `(host, port)` for `address`.  It is kept at least until the next call.
    #[inline]
    pub(crate) fn name<'py>(
        &self,
        py: Python<'py>,
        address: SocketAddr,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = if places.len() > 1 { place(address) } else { 0 };
        if let Some(Some((known, name))) = places.get(index) {
            if *known == address {
                return Ok(name.bind(py).clone());
            }
        }
        drop(places); // what follows may run code
        let name = address::pair_to_python(py, address)?;
        places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match places.len() {
            0 => {
                places.push(None);
                0
            }
            1 => {
                places.clear();
                places.resize_with(PLACES, || None);
                place(address)
            }
            _ => place(address),
        };
        let before = places
            .get_mut(index)
            .and_then(|place| place.replace((address, name.clone().unbind())));
        drop(places);
        drop(before);
        Ok(name)
    }
}

/// Where an address is remembered.
fn place(address: SocketAddr) -> usize {
    /// Spreads what differs in the low bits over the high ones (2^64 divided by the golden ratio).
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let ip = match address.ip() {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => {
            let bits = u128::from(ip);
            #[expect(clippy::cast_possible_truncation, reason = "the halves of it")]
            let halves = (bits >> 64) as u64 ^ bits as u64;
            halves
        }
    };
    let mixed = (ip.rotate_left(16) ^ u64::from(address.port())).wrapping_mul(SPREAD);
    (mixed >> (u64::BITS - PLACES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::{PLACES, place};
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

    #[test]
    fn ports_and_hosts_are_spread_over_the_places() {
        let ports = (40_000..40_064).map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let hosts = (0..64).map(|host| SocketAddr::from((Ipv4Addr::new(10, 0, 0, host), 53)));
        let v6 = (0..64)
            .map(|host| SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host), 53)));
        let found: [HashSet<_>; 3] = [
            ports.map(place).collect(),
            hosts.map(place).collect(),
            v6.map(place).collect(),
        ];
        for places in found {
            assert!(places.iter().all(|place| *place < PLACES));
            assert!(places.len() > PLACES / 2, "{}", places.len());
        }
    }
}
