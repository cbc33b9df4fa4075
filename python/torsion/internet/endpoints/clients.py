"""The types of description that ``clientFromString`` knows by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.endpoints.arguments import Arguments
from torsion.internet.endpoints.kinds import Kind
from torsion.internet.endpoints.tcp import TCP4ClientEndpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torsion.internet.interfaces import IStreamClientEndpoint

__all__ = ["CLIENTS"]

PATIENCE = 30
"""After how many seconds an attempt is given up; Twisted's number."""


def _bind(given: Arguments) -> tuple[str, int] | None:
    return (given.text("bindAddress"), 0) if given.text("bindAddress", "") else None


def _tcp(reactor: Any, given: Arguments) -> IStreamClientEndpoint:
    return TCP4ClientEndpoint(
        reactor, given.some("host"), given.port(1), timeout=given.seconds("timeout", PATIENCE), bindAddress=_bind(given)
    )


def _unix(reactor: Any, given: Arguments) -> IStreamClientEndpoint:
    from torsion.internet.endpoints.unix import UNIXClientEndpoint

    if given.has("lockfile") and given.has("checkPID"):
        raise given.wrong("says the same by 'lockfile' and by 'checkPID'; leave one out", "checkPID")
    return UNIXClientEndpoint(
        reactor,
        given.some("path"),
        timeout=given.seconds("timeout", PATIENCE),
        checkPID=given.switch("lockfile", given.switch("checkPID", False)),
    )


def _ssl(reactor: Any, given: Arguments) -> IStreamClientEndpoint:
    from torsion.internet.endpoints.ssl import SSL4ClientEndpoint
    from torsion.internet.endpoints.sslstrings import client_options

    return SSL4ClientEndpoint(
        reactor,
        given.some("host"),
        given.port(1),
        client_options(given),
        timeout=given.seconds("timeout", PATIENCE),
        bindAddress=_bind(given),
    )


def _tls(reactor: Any, given: Arguments) -> IStreamClientEndpoint:
    from torsion.internet.endpoints.hostname import HostnameEndpoint
    from torsion.internet.endpoints.sslstrings import verifying_client_options
    from torsion.internet.endpoints.tls import wrapClientTLS

    host, port = given.some("host"), given.port(1)
    options = verifying_client_options(given, host)
    if given.has("endpoint"):
        below = given.nested("endpoint", reactor)
    else:
        below = HostnameEndpoint(
            reactor, host, port, timeout=given.seconds("timeout", PATIENCE), bindAddress=_bind(given)
        )
    return wrapClientTLS(options, below)


CLIENTS: Mapping[str, Kind] = {
    "ssl": Kind(
        _ssl,
        ("host", "port"),
        ("timeout", "bindAddress", "privateKey", "certKey", "caCertsDir", "hostname"),
        skipping=True,
    ),
    "tcp": Kind(_tcp, ("host", "port"), ("timeout", "bindAddress"), skipping=True),
    "tls": Kind(
        _tls,
        ("host", "port", "timeout", "bindAddress", "certificate", "privateKey", "trustRoots", "endpoint"),
        skipping=True,
    ),
    "unix": Kind(_unix, ("path",), ("timeout", "lockfile", "checkPID"), skipping=True),
}
"""Each type of description, by its first word."""
