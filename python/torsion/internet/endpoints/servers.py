"""The types of description that ``serverFromString`` knows by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.endpoints.arguments import MOST, Arguments
from torsion.internet.endpoints.kinds import Kind
from torsion.internet.endpoints.tcp import TCP4ServerEndpoint, TCP6ServerEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torsion.internet.interfaces import IStreamServerEndpoint

__all__ = ["SERVERS"]

BACKLOG = 50
"""How many connections may wait to be accepted; Twisted's number."""


def _tcp(kind: type[TCP4ServerEndpoint | TCP6ServerEndpoint], interface: str) -> Callable[[Any, Arguments], Any]:
    def make(reactor: Any, given: Arguments) -> IStreamServerEndpoint:
        return kind(
            reactor,
            given.port(),
            backlog=given.number("backlog", 1, MOST, BACKLOG),
            interface=given.text("interface", interface),
            reusePort=given.switch("reusePort", False),
        )

    return make


def _unix(reactor: Any, given: Arguments) -> IStreamServerEndpoint:
    from torsion.internet.endpoints.unix import UNIXServerEndpoint

    return UNIXServerEndpoint(
        reactor,
        given.some("address"),
        backlog=given.number("backlog", 1, MOST, BACKLOG),
        mode=given.mode("mode", 0o666),
        wantPID=given.switch("lockfile", True),
    )


def _ssl(reactor: Any, given: Arguments) -> IStreamServerEndpoint:
    from torsion.internet.endpoints.ssl import SSL4ServerEndpoint
    from torsion.internet.endpoints.sslstrings import server_options

    return SSL4ServerEndpoint(
        reactor,
        given.port(),
        server_options(given),
        backlog=given.number("backlog", 1, MOST, BACKLOG),
        interface=given.text("interface", ""),
    )


def _tls(reactor: Any, given: Arguments) -> IStreamServerEndpoint:
    from torsion.internet.endpoints.sslstrings import directory_of_certificates
    from torsion.internet.endpoints.tls import wrapServerTLS

    listening = TCP6ServerEndpoint(
        reactor,
        given.number("port", 0, 65_535, 443),
        backlog=given.number("backlog", 1, MOST, BACKLOG),
        interface=given.text("interface", "::"),
        reusePort=given.switch("reusePort", False),
    )
    return wrapServerTLS(directory_of_certificates(given, "path"), listening)


def _stdio(reactor: Any, _: Arguments) -> IStreamServerEndpoint:
    from torsion.internet.endpoints.stdio import StandardIOEndpoint

    return StandardIOEndpoint(reactor)


def _systemd(reactor: Any, given: Arguments) -> IStreamServerEndpoint:
    from torsion.internet.endpoints.inherited import from_systemd

    return from_systemd(reactor, given)


def _fd(reactor: Any, given: Arguments) -> IStreamServerEndpoint:
    from torsion.internet.endpoints.inherited import from_number

    return from_number(reactor, given)


_SSL = ("port", "privateKey", "certKey", "sslmethod", "interface", "backlog", "extraCertChain", "dhParameters")

SERVERS: Mapping[str, Kind] = {
    "fd": Kind(_fd, ("number", "domain")),
    "ssl": Kind(_ssl, _SSL),
    "stdio": Kind(_stdio, ()),
    "systemd": Kind(_systemd, ("domain", "index", "name")),
    "tcp": Kind(_tcp(TCP4ServerEndpoint, ""), ("port", "interface", "backlog"), ("reusePort",)),
    "tcp6": Kind(_tcp(TCP6ServerEndpoint, "::"), ("port", "backlog", "interface"), ("reusePort",)),
    "tls": Kind(_tls, ("path", "port", "backlog", "interface"), ("reusePort",)),
    "unix": Kind(_unix, ("address", "mode", "backlog", "lockfile")),
}
"""Each type of description, by its first word."""
