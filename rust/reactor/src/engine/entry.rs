//! What the engine keeps for one descriptor.

use crate::connector::Connector;
use crate::datagram::Datagram;
use crate::listener::Listener;
use crate::readiness::Readiness;
use crate::sink::Handles;
use crate::stream::Stream;
use crate::watch::Watch;

/// What lives in a slot.
pub(super) enum Entry<H: Handles> {
    Stream {
        stream: Stream<H::Chunk>,
        handle: Option<H::Stream>,
    },
    Listener {
        listener: Listener,
        handle: Option<H::Listener>,
    },
    Connector {
        connector: Connector,
        handle: Option<H::Connector>,
    },
    /// Set apart, so that it makes a slot no larger than a stream does.
    Datagram {
        datagram: Box<Datagram<H::Chunk>>,
        handle: Option<H::Datagram>,
    },
    Watch {
        watch: Watch,
        handle: Option<H::Watch>,
    },
    /// A connector on its way to becoming a stream, for as long as one borrow.
    Changing,
}

impl<H: Handles> Entry<H> {
    pub(super) fn readiness(&mut self) -> Option<&mut Readiness> {
        match self {
            Self::Stream { stream, .. } => Some(&mut stream.readiness),
            Self::Listener { listener, .. } => Some(&mut listener.readiness),
            Self::Connector { connector, .. } => Some(&mut connector.readiness),
            Self::Datagram { datagram, .. } => Some(&mut datagram.readiness),
            Self::Watch { watch, .. } => Some(&mut watch.readiness),
            Self::Changing => None,
        }
    }
}
