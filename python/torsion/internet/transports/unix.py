"""Unix sockets: ports that listen at a path, and connections to be made to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from torsion.internet._current import current_reactor
from torsion.internet.transports.connecting import Attempt, BaseConnector
from torsion.internet.transports.handedover import unix_address
from torsion.internet.transports.listener import Port as TCPPort
from torsion.internet.transports.unixpath import SocketFile, explain, is_abstract, lock_holder, shown, socket_path
from torsion.internet.transports.unixstream import UNIXClient, UNIXServer, UNIXStreamOwner
from torsion.python.reflect import qual

if TYPE_CHECKING:
    import os

    from torsion._native import Listener, Stream
    from torsion.internet.address import UNIXAddress
    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.transports.owner import Home
    from torsion.python.lockfile import FilesystemLock

__all__ = ["Connector", "Port"]


def _home(reactor: Home | None) -> Home:
    """Return *reactor*, or the one that is meant when none is given."""
    return cast("Home", current_reactor()) if reactor is None else reactor


class Port(UNIXStreamOwner, TCPPort):
    """A port at a path (``IListeningPort``).  As programs know it from Twisted, it passes for a TCP port.

    :ivar fileName: the path that was asked for; also called *port*.
    :ivar mode: the permissions that the file is given.
    :ivar wantPID: whether there is a lock beside it.
    """

    kind = "UNIX"
    streams = UNIXServer

    def __init__(
        self,
        fileName: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        reactor: Home | None = None,
        wantPID: bool = False,
    ) -> None:
        """Make a port that does not listen yet.

        :raises TypeError: if *fileName* is no path.
        """
        self._path = socket_path(fileName)
        self.fileName = shown(self._path)
        super().__init__(self.fileName, factory, backlog, "", _home(reactor))  # type: ignore[arg-type]  # a name instead of a number
        self.mode = mode
        self.wantPID = wantPID
        self._file = SocketFile(self._path, wantPID)

    @property
    def lockFile(self) -> FilesystemLock | None:
        """The lock beside the socket, if one is wanted."""
        return self._file.lock

    def open(self) -> Listener:
        """Listen at the path, after having taken the lock beside it if one is wanted."""
        file = self._file
        try:
            if self.reactor.sockets is not None:
                handed = self.hand_over(unix_address("UNIX", self._path))
                if handed is not None:
                    return handed  # and leave the file to who has made it
            file.claim()
            try:
                listener = self.listen_at(self._path)
            except BaseException:
                file.remove()
                raise
        except OSError as problem:
            problem = explain(self._path, problem)
            raise self.dialect.error.CannotListenError(None, self.fileName, problem) from problem
        except ValueError as problem:  # a lock that is none
            raise self.dialect.error.CannotListenError(None, self.fileName, problem) from problem
        file.made()
        return listener

    def listen_at(self, address: Any) -> Listener:
        """Make a socket at the path *address*, and listen.

        :raises OSError: if that cannot be done; no file is left behind then.
        """
        return self.reactor.engine.listen_unix(address, self.backlog, self.mode, self, self.streams)

    def closed(self) -> None:
        """Remove the file, if it is still ours, and the lock."""
        try:
            self._file.remove()
        except (OSError, ValueError):
            self.dialect.log.failure("Cannot remove what {port!r} has left behind", port=self)

    def given_away(self) -> None:
        """Leave the file and its lock when the port stops."""
        self._file.give_away()

    def kept(self) -> None:
        """Remove them then, as always."""
        self._file.keep()

    def taken_over(self) -> None:
        """Have the file for this port: its permissions are those that were asked for, its lock names this process."""
        self._file.inherit(self.mode)

    def opened(self) -> None:
        """All is known already."""

    def locate(self, address: bytes) -> UNIXAddress:  # type: ignore[override]  # another family of addresses
        """Return *address* as an ``IAddress``."""
        return self.dialect.unix_address_of(address)  # type: ignore[no-any-return]  # the dialect's class

    def place(self) -> object:
        """Return the path."""
        return self.fileName

    def getHost(self) -> UNIXAddress:  # type: ignore[override]  # another family of addresses
        """Return where the port listens, or last did.

        :raises RuntimeError: if it never has.
        """
        return super().getHost()  # type: ignore[return-value]  # made by locate

    def __repr__(self) -> str:
        where = f"on {self.fileName!r}" if self.connected else "(not listening)"
        return f"<{qual(type(self.factory))} {where}>"

    def describe(self, stream: Any) -> str:
        """Tell what *stream* is, for its representation."""
        return f"#{stream.sessionno} on {self.fileName}"

    def label(self, stream: Any) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{self.fileName}"


class Connector(UNIXStreamOwner, BaseConnector):
    """A connection to be made to a path (``IConnector``).

    :ivar address: the path.
    :ivar checkPID: whether the lock beside it is looked at first.
    """

    streams: ClassVar[type[Stream]] = UNIXClient
    """What its connections are."""

    def __init__(
        self,
        address: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        factory: Any,
        timeout: float | None,
        reactor: Home,
        checkPID: bool = False,
    ) -> None:
        """Prepare a connection; :meth:`connect` makes it.

        :raises TypeError, ValueError: if *address* is no path, or *timeout* cannot be used.
        """
        super().__init__(factory, timeout, reactor)
        self._path = socket_path(address)
        self.address = shown(self._path)
        self.checkPID = checkPID

    def begin(self, attempt: Attempt) -> None:
        """Connect, after having looked at the lock if that is wanted."""
        path = self._path
        if self.checkPID and not is_abstract(path) and lock_holder(path) is None:
            why = f"no living process holds the lock {self.address}.lock"
            self.fail_soon(attempt, self.dialect.Failure(self.dialect.error.BadFileError(string=why)))
            return
        try:
            attempt.native = self.reactor.engine.connect_unix(path, self, self.streams)
        except OSError as problem:
            self.fail_soon(attempt, self.dialect.Failure(self.explain_errno(problem.errno or 0, str(problem.strerror))))

    def explain_errno(self, errno: int, text: str) -> Any:
        """Return the error to tell the factory for the system's *errno*, with the path in it."""
        text = explain(self._path, OSError(errno, text)).strerror or text
        return self.dialect.error.getConnectError((errno, f"{self.address!r}: {text}"))

    def locate(self, address: bytes) -> UNIXAddress:
        """Return *address* as an ``IAddress``."""
        return self.dialect.unix_address_of(address)  # type: ignore[no-any-return]  # the dialect's class

    def getDestination(self) -> UNIXAddress:
        """Return where the connection goes."""
        return self.dialect.UNIXAddress(self._path)  # type: ignore[no-any-return]  # the dialect's class

    def destination(self) -> str:
        """Return that for people to read."""
        return self.address
