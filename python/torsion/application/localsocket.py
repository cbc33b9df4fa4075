"""Private UNIX sockets: doors into a process for its operator, and for nobody else.

Such a socket has the mode 0600 from the first moment, and whoever connects is asked for besides: the system tells whose process
it is, and it must be ours or root's. Manhole, control and status listen in this way::

    port = listenPrivately(reactor, "/run/app/manhole", factory)

A socket that a dead process has left behind is removed; one that is served, and what is no socket at all, stay, with an error
that says which.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.localpeer import peerCredentials
from torsion.internet.defer import execute
from torsion.internet.error import CannotListenError
from torsion.internet.interfaces import ILoggingContext, IProtocolFactory, IStreamServerEndpoint
from torsion.internet.transports.unixpath import LONGEST_PATH, check_path, explain
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IAddress, IListeningPort, IProtocol

__all__ = [
    "BACKLOG",
    "LOCK_SECONDS",
    "MODE",
    "LocalSocketError",
    "LocalSocketInUse",
    "NotASocketError",
    "PrivateUNIXServerEndpoint",
    "holdsPath",
    "leavePath",
    "listenPrivately",
]

MODE = 0o600
"""The permissions of the socket's file: its owner may connect (:manpage:`unix(7)`), and root, who may always."""

BACKLOG = 16
"""How many operators may wait to be accepted; they are people and scripts, not crowds."""

LOCK_SECONDS = 2.0
"""How long to wait, in seconds, for another process that is making a socket in the same folder; it takes a millisecond."""

_log = Logger("torsion.application.localsocket")


class LocalSocketError(CannotListenError):
    """A private socket cannot be made.

    :ivar path: where it was to be.
    :ivar why: what is the matter, and what to do about it.
    """

    def __init__(self, path: str, why: str, problem: OSError | None = None) -> None:
        super().__init__(None, path, problem or OSError(errno.EADDRINUSE, why))
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"cannot listen at {self.path}: {self.why}"


class LocalSocketInUse(LocalSocketError):
    """A living process listens there.

    :ivar pid: its number; None where the system does not tell it.
    """

    def __init__(self, path: str, pid: int | None) -> None:
        who = "another process" if pid is None else "this process" if pid == os.getpid() else f"process {pid}"
        super().__init__(path, f"{who} listens there already; end that, or take another path")
        self.pid = pid


class NotASocketError(LocalSocketError):
    """Something is there that is no socket for streams, and is left alone."""


# --- making the file -----------------------------------------------------------------------------------------------


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Hold a lock on the folder of *path*, so that of two processes that find a dead socket one removes it, and not the other's.

    The lock is the system's (:manpage:`flock(2)`): it ends with the process and leaves no file.
    """
    import fcntl
    import time

    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)  # noqa: PTH120 - a text, as sockets have it
    try:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    why = "somebody holds a lock on its folder, and does not let go; take another folder"
                    raise LocalSocketError(path, why) from None
                time.sleep(
                    0.005
                )  # before a service runs, or to make a door for its operator: there is no other way to wait
        yield
    finally:
        os.close(folder)


def _holder(path: str) -> int | None:
    """Return the process that listens at *path*, or 0 if none does; None if one does that has no number here.

    :raises OSError: if that cannot be found out: a socket of another kind, or another user's.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:  # its queue is full
            return None
        except (ConnectionRefusedError, FileNotFoundError):
            return 0
        try:
            return peerCredentials(probe.fileno()).pid
        except OSError:
            return None


def _clear(path: str, replaces: int | None) -> None:
    """Remove what is at *path*, if it is a socket that nobody listens at any more, or process *replaces* does."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise NotASocketError(path, "there is something that is no socket; remove it, or take another path")
    try:
        holder = _holder(path)
    except OSError as problem:
        if problem.errno == errno.EPROTOTYPE:
            raise NotASocketError(
                path, "there is a socket of another kind; remove it, or take another path"
            ) from problem
        raise
    if holder != 0 and (holder is None or holder != replaces):
        raise LocalSocketInUse(path, holder)
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - a text, as sockets have it


def _bound(path: str, replaces: int | None) -> tuple[socket.socket, tuple[int, int]]:
    """Return a private socket that listens at *path*, and which file that is.

    :raises OSError: what the system says.
    """
    check_path(os.fsencode(path))
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(OSError):
            # Linux makes the file with the permissions that the socket has. Elsewhere it has them from the next step but
            # one on, which is early enough: before it listens nobody can connect.
            os.fchmod(made.fileno(), MODE)
        with _alone(path):
            _clear(path, replaces)
            made.bind(path)
            try:
                status = os.lstat(path)
                if stat.S_IMODE(status.st_mode) != MODE:
                    os.chmod(path, MODE)  # noqa: PTH101 - a text, as sockets have it
                made.listen(BACKLOG)
            except BaseException:
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 - as above
                raise
    except BaseException:
        made.close()
        raise
    return made, (status.st_dev, status.st_ino)


def _advice(path: str, problem: OSError) -> str:
    folder = os.path.dirname(path) or "."  # noqa: PTH120 - a text
    match problem.errno:
        case errno.ENOENT:
            return f"the folder {folder} does not exist; make it first"
        case errno.ENOTDIR:
            return f"{folder} is no folder"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{problem.strerror}; this process (user {os.geteuid()}) may not make or replace files in {folder}"
        case errno.ENAMETOOLONG:  # a relative one may not be what the process sees
            return f"the path of a Unix socket has {LONGEST_PATH} bytes at most, and this has {len(os.fsencode(path))}; take a shorter one"
    return str(explain(os.fsencode(path), problem).strerror)


# --- who may come in -----------------------------------------------------------------------------------------------


@implementer(IProtocolFactory, ILoggingContext)
class _Guard:
    """Asks who connects, and lets the real factory make a protocol for those that may; removes the file at the end."""

    noisy = False
    operating = True
    """It is the command's own, and no service's: a run that leaves its place to another does not wait for its connections."""

    def __init__(self, path: str, made: socket.socket, identity: tuple[int, int], factory: IProtocolFactory) -> None:
        self.path = path
        self._held = made.dup()  # as long as the socket lives no other file can have this identity
        self.factory = factory
        self._absolute = os.path.abspath(path)  # noqa: PTH100 - and the process may go to another folder meanwhile
        self._identity = identity

    def doStart(self) -> None:
        self.factory.doStart()

    def doStop(self) -> None:
        try:
            self.factory.doStop()
        finally:
            self.remove()

    def remove(self) -> None:
        with self._held, suppress(OSError):
            if self.holds():
                os.unlink(self._absolute)  # noqa: PTH108 - a text

    def leave(self) -> None:
        self._identity = -1, -1  # no file's

    def holds(self) -> bool:
        try:
            status = os.lstat(self._absolute)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None:
        return _Gate(self, addr)  # type: ignore[return-value]  # as much of a protocol as comes to pass

    def logPrefix(self) -> str:
        name: str = getattr(self.factory, "logPrefix", lambda: type(self.factory).__name__)()
        return name


class _Gate:
    """Stands for the protocol until it is known who connects."""

    factory: Any = None

    def __init__(self, guard: _Guard, address: IAddress | None) -> None:
        self.guard = guard
        self.address = address

    def makeConnection(self, transport: Any) -> None:
        try:
            peer = peerCredentials(transport.fileno())
        except OSError as problem:
            _log.warn(
                "Refused a connection at {path}: cannot tell whose it is: {problem}",
                path=self.guard.path,
                problem=problem,
            )
            transport.abortConnection()
            return
        if peer.uid not in {0, os.geteuid()}:
            _log.warn(
                "Refused a connection at {path}: process {pid} of user {uid}; only user {ours} and root may connect",
                path=self.guard.path,
                pid=peer.pid,
                uid=peer.uid,
                ours=os.geteuid(),
            )
            transport.abortConnection()
            return
        protocol: Any = self.guard.factory.buildProtocol(self.address)
        if protocol is None:
            transport.loseConnection()
            return
        transport.protocol = protocol
        protocol.makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        """Ignore it: whoever sent it is not let in."""

    def connectionLost(self, reason: Any) -> None:
        """Do nothing: nobody was let in."""

    def logPrefix(self) -> str:
        return self.guard.logPrefix()


# --- what is called ------------------------------------------------------------------------------------------------


def listenPrivately(
    reactor: Any,
    path: str | os.PathLike[str],
    factory: IProtocolFactory,
    replaces: int | None = None,
    handed: int | None = None,
) -> IListeningPort:
    """Listen at a private socket.

    The file has the mode 0600, whatever the umask. A socket that is there already is removed if nobody listens at it. A connection
    is refused, with a line in the log, unless its process is ours or root's. The file is removed when the port stops, unless
    something else has taken its place by then.

    :param reactor: provides ``IReactorSocket``.
    :param path: where to listen; its folder must exist. It should be one that nobody else may write to.
    :param factory: asked for a protocol for each connection that is let in.
    :param replaces: the number of a process whose place is taken if it listens there, such as our predecessor's in a restart.
    :param handed: the descriptor of the socket, if it was made at that path by another process, which has left it to us; it is
        duplicated.
    :returns: the port, listening.
    :raises LocalSocketInUse: if a living process listens there.
    :raises NotASocketError: if what is there is no socket for streams.
    :raises LocalSocketError: if it cannot be made for another reason; all three are ``CannotListenError``.
    """
    name = os.fsdecode(path)
    if sys.platform == "win32":
        raise LocalSocketError(name, "there are no private sockets on Windows")
    try:
        made, identity = _bound(name, replaces) if handed is None else _adopted(name, handed)
    except OSError as problem:
        raise LocalSocketError(name, _advice(name, problem), problem) from problem
    with made:
        guard = _Guard(name, made, identity, factory)
        try:
            port: IListeningPort = reactor.adoptStreamPort(made.fileno(), socket.AF_UNIX, guard)
        except BaseException:
            guard.remove()
            raise
    return port


def _adopted(path: str, descriptor: int) -> tuple[socket.socket, tuple[int, int]]:
    """Return a private socket that another process has made at *path*, and which file that is."""
    made = socket.socket(fileno=os.dup(descriptor))
    try:
        status = os.lstat(path)
    except FileNotFoundError:  # removed by somebody else: who is connected already is served, nobody else will come
        return made, (-1, -1)
    except BaseException:
        made.close()
        raise
    return made, (status.st_dev, status.st_ino)


def leavePath(port: Any) -> None:
    """Have the file of *port*, of :func:`listenPrivately`, be another process's: it stays when the port stops."""
    if isinstance(port.factory, _Guard):
        port.factory.leave()


def holdsPath(port: Any) -> bool:
    """Tell whether the file of *port*, of :func:`listenPrivately`, is still in its place, and no other has taken that."""
    return isinstance(port.factory, _Guard) and port.factory.holds()


@implementer(IStreamServerEndpoint)
class PrivateUNIXServerEndpoint:
    """A private socket to listen at, as an endpoint: see :func:`listenPrivately`."""

    def __init__(self, reactor: Any, path: str | os.PathLike[str], replaces: int | None = None) -> None:
        """Describe a socket.

        :param reactor: provides ``IReactorSocket``.
        :param path: where to listen.
        :param replaces: the number of a process whose place is taken if it listens there.
        """
        self._reactor = reactor
        self._path = path
        self._replaces = replaces

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {os.fsdecode(self._path)!r}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection that is let in to a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the port, or fails with :class:`LocalSocketError`.
        """
        return execute(listenPrivately, self._reactor, self._path, protocolFactory, self._replaces)
