"""UNIX socket endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import execute
from torsion.internet.endpoints.wrapper import connect_with
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

if TYPE_CHECKING:
    import os

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["UNIXClientEndpoint", "UNIXServerEndpoint"]


@implementer(IStreamServerEndpoint)
class UNIXServerEndpoint:
    """A UNIX socket to listen at."""

    def __init__(
        self,
        reactor: Any,
        address: str | bytes | os.PathLike[str],
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool | int = 0,
    ) -> None:
        """Describe a socket.

        :param reactor: provides ``IReactorUNIX``.
        :param address: the path of the socket.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param mode: the permissions of the socket's file.  Better is a folder that only those may enter who may connect.
        :param wantPID: keep a lock file beside the socket, so that a stale one is told from a live one.
        """
        self._reactor = reactor
        self._address = address
        self._backlog = backlog
        self._mode = mode
        self._wantPID = wantPID

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address!r}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection to a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the port, or fails with
            :class:`torsion.internet.error.CannotListenError`.
        """
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        return self._reactor.listenUNIX(  # type: ignore[no-any-return]  # any reactor of that interface
            self._address, factory, backlog=self._backlog, mode=self._mode, wantPID=self._wantPID
        )


@implementer(IStreamClientEndpoint)
class UNIXClientEndpoint:
    """A UNIX socket to connect to."""

    def __init__(
        self, reactor: Any, path: str | bytes | os.PathLike[str], timeout: float = 30, checkPID: bool | int = 0
    ) -> None:
        """Describe a socket to connect to.

        :param reactor: provides ``IReactorUNIX``.
        :param path: the path of the socket.
        :param timeout: after how many seconds to give up.
        :param checkPID: connect only if a lock file tells that a server is there.
        """
        self._reactor = reactor
        self._path = path
        self._timeout = timeout
        self._checkPID = checkPID

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path!r}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the protocol once its connection is made.  It fails with a
            :class:`torsion.internet.error.ConnectError`, or with what the factory raised.
        """
        return connect_with(
            lambda factory: self._reactor.connectUNIX(
                self._path, factory, timeout=self._timeout, checkPID=self._checkPID
            ),
            protocolFactory,
        )
