"""Endpoints: places to connect to or to listen at, independent of the kind of transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces.protocol import IProtocolFactory
    from torsion.internet.interfaces.stream import IListeningPort


class IStreamClientEndpoint(Interface):
    """A place that connections can be made to."""

    def connect(protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, and give the connection to a protocol that *protocolFactory* makes.

        :param protocolFactory: asked for one protocol, once the connection stands.
        :returns: a Deferred that fires with that protocol, connected. It fails with a
            :class:`torsion.internet.error.ConnectError` (or a subclass), with
            :class:`torsion.internet.error.DNSLookupError`, with :class:`torsion.internet.error.NoProtocol` if the
            factory gave none, or with :class:`torsion.internet.error.ConnectingCancelledError` once cancelled.
        """


class IStreamServerEndpoint(Interface):
    """A place at which connections can be awaited."""

    def listen(protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection to a protocol that *protocolFactory* makes.

        :param protocolFactory: asked for one protocol for each connection.
        :returns: a Deferred that fires with the listening port. It fails with
            :class:`torsion.internet.error.CannotListenError` if the place is taken or may not be used.
        """


class IStreamClientEndpointStringParserWithReactor(Interface):
    """A plugin that understands one kind of client endpoint description, such as ``tcp:example.org:80``."""

    prefix = Attribute("""The first word of the descriptions it understands (a str), such as ``tcp``.""")

    def parseStreamClient(reactor: Any, *args: str, **kwargs: str) -> IStreamClientEndpoint:
        """Make the endpoint for a description that ``clientFromString`` has taken apart.

        :param reactor: the reactor that the endpoint is to use.
        :param args: the parts between colons, after the prefix.
        :param kwargs: the parts of the form ``name=value``.
        :raises ValueError: if a part has a value that cannot be used.
        :raises TypeError: if a part is missing, or unknown.
        """


class IStreamServerEndpointStringParser(Interface):
    """A plugin that understands one kind of server endpoint description, such as ``tcp:8080:interface=127.0.0.1``."""

    prefix = Attribute("""The first word of the descriptions it understands (a str), such as ``tcp``.""")

    def parseStreamServer(reactor: Any, *args: str, **kwargs: str) -> IStreamServerEndpoint:
        """Make the endpoint for a description that ``serverFromString`` has taken apart.

        :param reactor: the reactor that the endpoint is to use.
        :param args: the parts between colons, after the prefix.
        :param kwargs: the parts of the form ``name=value``.
        :raises ValueError: if a part has a value that cannot be used.
        :raises TypeError: if a part is missing, or unknown.
        """
