r"""Endpoints from strings, such as ``tcp:8080:interface=127.0.0.1``; ``grammar`` tells how they are written.

Types that torsion does not bring are looked for among plugins: objects that provide
``IStreamServerEndpointStringParser`` or ``IStreamClientEndpointStringParserWithReactor``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.endpoints.arguments import Arguments
from torsion.internet.endpoints.grammar import EndpointDescriptionError, join, split, text_of
from torsion.internet.interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from zope.interface import Interface

    from torsion.internet.endpoints.grammar import Part
    from torsion.internet.endpoints.kinds import Kind
    from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

__all__ = ["clientFromString", "serverFromString", "wrapped_server"]


def serverFromString(reactor: Any, description: str | bytes) -> IStreamServerEndpoint:
    r"""Make an endpoint to listen at.

    The types are ``tcp:PORT`` and ``tcp6:PORT``, ``unix:PATH``, ``ssl:PORT:privateKey=FILE``, ``tls:FOLDER:PORT``,
    ``stdio:``, ``systemd:name=NAME``, ``fd:NUMBER``, and those of plugins, among them ``haproxy:`` before any other
    description.  The page on endpoints lists their arguments.

    :param reactor: what the endpoint is to use.
    :param description: the description; bytes are UTF-8.
    :returns: the endpoint.
    :raises EndpointDescriptionError: a ``ValueError``; if the description is of no known type, or one of its arguments
        is wrong.  It quotes the description and points at the argument.
    """
    from torsion.internet.endpoints.servers import SERVERS

    endpoint: IStreamServerEndpoint = _make(
        SERVERS, IStreamServerEndpointStringParser, "parseStreamServer", serverFromString, reactor, description
    )
    return endpoint


def clientFromString(reactor: Any, description: str | bytes) -> IStreamClientEndpoint:
    """Make an endpoint to connect to.

    The types are ``tcp:HOST:PORT``, ``unix:PATH``, ``tls:HOST:PORT``, ``ssl:HOST:PORT`` (which trusts anybody unless told
    otherwise), and those of plugins.  The page on endpoints lists their arguments.

    :param reactor: what the endpoint is to use.
    :param description: the description; bytes are UTF-8.
    :returns: the endpoint.
    :raises EndpointDescriptionError: a ``ValueError``; if the description is of no known type, or one of its arguments
        is wrong.  It quotes the description and points at the argument.
    """
    from torsion.internet.endpoints.clients import CLIENTS

    endpoint: IStreamClientEndpoint = _make(
        CLIENTS,
        IStreamClientEndpointStringParserWithReactor,
        "parseStreamClient",
        clientFromString,
        reactor,
        description,
    )
    return endpoint


def wrapped_server(reactor: Any, args: tuple[str, ...], kwargs: Mapping[str, str]) -> IStreamServerEndpoint:
    """Make the endpoint that stands behind a prefix; for the parsers of types such as ``haproxy:``.

    :param args: what the parser was given as values without a name; the first is the type of the wrapped endpoint.
    :param kwargs: what it was given as values with a name.
    """
    return serverFromString(reactor, join(args, kwargs))


def _make(
    kinds: Mapping[str, Kind],
    interface: type[Interface],
    method: str,
    read: Callable[[Any, str], Any],
    reactor: Any,
    description: str | bytes,
) -> Any:
    text = text_of(description)
    parts = split(text)
    prefix = parts[0].value if parts[0].name is None else ""
    kind = kinds.get(prefix)
    if kind is not None:
        return kind.make(reactor, Arguments(text, parts, *kind.arguments(parts), read))
    others = []
    for parser in _parsers(interface):
        if parser.prefix == prefix:
            return _from_plugin(getattr(parser, method), reactor, text, parts)
        others.append(str(parser.prefix))
    known = ", ".join(sorted({*kinds, *others}))
    raise EndpointDescriptionError(text, f"has an unknown type {prefix!r}; known are {known}", 0, parts[0].end)


def _parsers(interface: type[Interface]) -> Iterator[Any]:
    from torsion.plugin import getPlugins

    yield from getPlugins(interface)


def _from_plugin(parse: Any, reactor: Any, text: str, parts: list[Part]) -> Any:
    values = [part.value for part in parts[1:] if part.name is None]
    named = {part.name: part.value for part in parts[1:] if part.name is not None}
    try:
        return parse(reactor, *values, **named)
    except (TypeError, ValueError, LookupError) as error:
        error.add_note(f"while making the endpoint {text!r}")
        raise
