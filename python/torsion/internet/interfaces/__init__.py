"""The contracts between the reactor, its transports and the code that uses them, by topic.

``core`` running and stopping · ``time`` · ``threads`` · ``stream`` TCP, ports, connectors, with ``binding`` for their
local end · ``producer`` flow control · ``protocol`` what applications provide · ``endpoint`` · ``datagram`` UDP ·
``unix`` · ``process`` · ``inspection`` figures · ``resolve`` names to addresses · ``tls`` · ``fdset`` descriptors made
elsewhere · ``handover`` sockets that listen already.

Importing this loads ``zope.interface`` and nothing else. Methods are written without ``self``, as interfaces are.
"""

from torsion.internet.interfaces.binding import Binding
from torsion.internet.interfaces.core import (
    IAddress,
    ILoggingContext,
    IReactorCore,
    IReactorDaemonize,
    IServiceCollection,
)
from torsion.internet.interfaces.datagram import IMulticastTransport, IReactorMulticast, IReactorUDP, IUDPTransport
from torsion.internet.interfaces.endpoint import (
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from torsion.internet.interfaces.fdset import (
    IFileDescriptor,
    IHalfCloseableDescriptor,
    IReactorFDSet,
    IReactorWin32Events,
    IReadDescriptor,
    IReadWriteDescriptor,
    IWriteDescriptor,
)
from torsion.internet.interfaces.inspection import (
    ConnectionFigures,
    DatagramFigures,
    DescriptorFigures,
    IReactorInspection,
    ListenerFigures,
    LoopFigures,
    ThreadFigures,
)
from torsion.internet.interfaces.process import IProcessProtocol, IProcessTransport, IReactorProcess
from torsion.internet.interfaces.producer import IConsumer, IProducer, IPullProducer, IPushProducer
from torsion.internet.interfaces.protocol import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
)
from torsion.internet.interfaces.resolve import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IReactorPluggableResolver,
    IResolutionReceiver,
    IResolver,
    IResolverSimple,
)
from torsion.internet.interfaces.stream import (
    IConnector,
    IFileSendingTransport,
    IListeningPort,
    IReactorSocket,
    IReactorTCP,
    IReactorTCP2,
    ISystemHandle,
    ITCPTransport,
    ITransport,
)
from torsion.internet.interfaces.threads import IReactorFromThreads, IReactorInThreads, IReactorThreads
from torsion.internet.interfaces.time import IDelayedCall, IReactorTime
from torsion.internet.interfaces.tls import (
    IAcceptableCiphers,
    ICipher,
    IHandshakeListener,
    INegotiated,
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
    IProtocolNegotiationFactory,
    IReactorSSL,
    ISSLTransport,
    ITLSTransport,
)
from torsion.internet.interfaces.unix import (
    IReactorUNIX,
    IReactorUNIXDatagram,
    IUNIXDatagramConnectedTransport,
    IUNIXDatagramTransport,
    IUNIXTransport,
)

__all__ = [
    "Binding",
    "ConnectionFigures",
    "DatagramFigures",
    "DescriptorFigures",
    "IAcceptableCiphers",
    "IAddress",
    "ICipher",
    "IConnector",
    "IConsumer",
    "IDelayedCall",
    "IFileDescriptor",
    "IFileDescriptorReceiver",
    "IFileSendingTransport",
    "IHalfCloseableDescriptor",
    "IHalfCloseableProtocol",
    "IHandshakeListener",
    "IHostResolution",
    "IHostnameResolver",
    "IListeningPort",
    "ILoggingContext",
    "IMulticastTransport",
    "INegotiated",
    "IOpenSSLClientConnectionCreator",
    "IOpenSSLContextFactory",
    "IOpenSSLServerConnectionCreator",
    "IProcessProtocol",
    "IProcessTransport",
    "IProducer",
    "IProtocol",
    "IProtocolFactory",
    "IProtocolNegotiationFactory",
    "IPullProducer",
    "IPushProducer",
    "IReactorCore",
    "IReactorDaemonize",
    "IReactorFDSet",
    "IReactorFromThreads",
    "IReactorInThreads",
    "IReactorInspection",
    "IReactorMulticast",
    "IReactorPluggableNameResolver",
    "IReactorPluggableResolver",
    "IReactorProcess",
    "IReactorSSL",
    "IReactorSocket",
    "IReactorTCP",
    "IReactorTCP2",
    "IReactorThreads",
    "IReactorTime",
    "IReactorUDP",
    "IReactorUNIX",
    "IReactorUNIXDatagram",
    "IReactorWin32Events",
    "IReadDescriptor",
    "IReadWriteDescriptor",
    "IResolutionReceiver",
    "IResolver",
    "IResolverSimple",
    "ISSLTransport",
    "IServiceCollection",
    "IStreamClientEndpoint",
    "IStreamClientEndpointStringParserWithReactor",
    "IStreamServerEndpoint",
    "IStreamServerEndpointStringParser",
    "ISystemHandle",
    "ITCPTransport",
    "ITLSTransport",
    "ITransport",
    "IUDPTransport",
    "IUNIXDatagramConnectedTransport",
    "IUNIXDatagramTransport",
    "IUNIXTransport",
    "IWriteDescriptor",
    "ListenerFigures",
    "LoopFigures",
    "ThreadFigures",
]
