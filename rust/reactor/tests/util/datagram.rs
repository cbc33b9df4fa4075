//! Datagram sockets and a plain socket at the other end.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use torsion_reactor::{Address, Token};

use super::{PATIENCE, Seen, World};

pub(crate) const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A plain socket that has one peer.
pub(crate) fn peer_of(address: &Address) -> UdpSocket {
    let to = address.as_inet().expect("an IP address");
    let any = if to.is_ipv4() {
        SocketAddr::from(ANY)
    } else {
        (Ipv6Addr::LOCALHOST, 0).into()
    };
    let peer = UdpSocket::bind(any).expect("a port");
    peer.connect(to).expect("an address");
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    peer
}

/// The next datagram that a plain socket receives.
pub(crate) fn hear(peer: &UdpSocket) -> Vec<u8> {
    let mut room = [0; 2048];
    let size = peer.recv(&mut room).expect("a datagram");
    room[..size].to_vec()
}

pub(crate) fn is_datagram(seen: &Seen) -> bool {
    matches!(seen, Seen::Datagram(..))
}

impl World {
    /// A socket at a free port of the loopback.
    pub(crate) fn bind_any(&self) -> (Token, Address) {
        self.bind(SocketAddr::from(ANY))
    }

    /// Has one peer only.
    pub(crate) fn connect_datagram(&self, socket: Token, peer: &Address) {
        let connected = self.engine.connect_datagram(socket, peer);
        connected.expect("open").expect("an address");
    }

    /// Sends what the kernel takes, or drops.
    pub(crate) fn send(&self, socket: Token, bytes: &[u8], to: Option<&Address>) {
        let sent = self.engine.send_datagram(socket, bytes, to);
        sent.expect("open").expect("sent");
    }

    /// What was received, in its order.
    pub(crate) fn heard(&self, token: Token) -> Vec<Vec<u8>> {
        self.pick(|seen| match seen {
            Seen::Datagram(socket, bytes, _) if *socket == token => Some(bytes.to_vec()),
            _ => None,
        })
    }

    /// Takes turns until so many datagrams have come, and returns all.
    pub(crate) fn until_heard(&self, token: Token, count: usize) -> Vec<Vec<u8>> {
        self.until("datagrams", |world| world.heard(token).len() >= count);
        self.heard(token)
    }
}
