"""Every exception that the reactor, its transports and their helpers raise, or hand on wrapped in a Failure.

The string of most of them is a sentence: a fixed message, then whatever arguments the exception was made with. It ends
with a full stop.
"""

from __future__ import annotations

import copyreg
import errno
import sys
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AlreadyCalled",
    "AlreadyCancelled",
    "AlreadyListened",
    "BadFileError",
    "BindError",
    "CannotListenError",
    "CertificateError",
    "ConnectBindError",
    "ConnectError",
    "ConnectInProgressError",
    "ConnectingCancelledError",
    "ConnectionAborted",
    "ConnectionClosed",
    "ConnectionDone",
    "ConnectionFdescWentAway",
    "ConnectionLost",
    "ConnectionRefusedError",
    "DNSLookupError",
    "FileDescriptorOverrun",
    "FileDescriptorRefused",
    "InvalidAddressError",
    "MessageLengthError",
    "MulticastJoinError",
    "NoProtocol",
    "NoRouteError",
    "NotConnectingError",
    "NotListeningError",
    "PeerVerifyError",
    "ProcessDone",
    "ProcessExitedAlready",
    "ProcessTerminated",
    "ReactorAlreadyInstalledError",
    "ReactorAlreadyRunning",
    "ReactorNotRestartable",
    "ReactorNotRunning",
    "SSLError",
    "ServiceNameUnknownError",
    "TCPTimedOutError",
    "TimeoutError",
    "UnknownHostError",
    "UnsupportedAddressFamily",
    "UnsupportedSocketType",
    "UserError",
    "VerifyError",
    "WrongProcessError",
    "WrongThreadError",
    "errnoMapping",
    "getConnectError",
]


class _Sentence(BaseException):
    """Mixed into an exception so that its string is its message, followed by its arguments."""

    MESSAGE: ClassVar[str]

    def __str__(self) -> str:
        if self.args:
            return f"{self.MESSAGE}: {' '.join(map(str, self.args))}."
        return f"{self.MESSAGE}."

    def __reduce__(self) -> tuple[Any, ...]:
        # Rebuilt from its state, not by its constructor, whose arguments need not be those that BaseException keeps.
        # Not in typeshed; pickle itself uses it.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class _Plain(BaseException):
    """Mixed into an exception so that its string is what it was made with, or else its message."""

    MESSAGE: ClassVar[str]

    def __str__(self) -> str:
        return super().__str__() if self.args else f"{self.MESSAGE}."


# --- listening ---------------------------------------------------------------------------------------------------


class BindError(_Sentence, Exception):
    """An address could not be bound."""

    MESSAGE = "An error occurred binding to an interface"


class CannotListenError(BindError):
    """A port could not begin to listen: its address is taken, is not this computer's, or may not be used.

    :ivar interface: the address that was asked for; None or empty means any.
    :ivar port: the port's number, or the path of a Unix socket.
    :ivar socketError: the system's error.
    """

    def __init__(self, interface: str | None, port: int | str, socketError: BaseException) -> None:
        super().__init__(interface, port, socketError)
        self.interface = interface
        self.port = port
        self.socketError = socketError

    def __str__(self) -> str:
        return f"Couldn't listen on {self.interface or 'any'}:{self.port}: {self.socketError}."


class AlreadyListened(Exception):
    """A port that may listen only once was asked to do so again."""


class NotListeningError(_Sentence, RuntimeError):
    """A port was told to stop that does not listen."""

    MESSAGE = "The Port was not listening when it was asked to stop listening"


class MulticastJoinError(Exception):
    """A multicast group could not be joined or left."""


class MessageLengthError(_Sentence, Exception):
    """A datagram is longer than can be sent."""

    MESSAGE = "Message is too long to send"


class UnsupportedAddressFamily(Exception):
    """A socket of this address family cannot be used here."""


class UnsupportedSocketType(Exception):
    """A socket of this type, such as SOCK_RAW, cannot be used here."""


class InvalidAddressError(ValueError):
    """An address was given that is not numeric, or is of another family than the socket's.

    :ivar address: that address.
    :ivar message: what is wrong with it.
    """

    def __init__(self, address: object, message: str) -> None:
        super().__init__(address, message)
        self.address = address
        self.message = message


# --- connecting --------------------------------------------------------------------------------------------------


class DNSLookupError(_Sentence, OSError):
    """A host's name has no address, or none was found in time."""

    MESSAGE = "DNS lookup failed"


class ConnectError(_Sentence, Exception):
    """A connection could not be made.

    :ivar osError: the number of the system's error, or None if it did not come from the system.
    """

    MESSAGE = "An error occurred while connecting"

    def __init__(self, osError: object = None, string: object = "") -> None:
        self.osError = osError
        super().__init__(string)

    def __str__(self) -> str:
        parts = [self.MESSAGE]
        if self.osError:
            parts.append(str(self.osError))
        if self.args and self.args[0]:
            parts.append(str(self.args[0]))
        return ": ".join(parts) + "."


class ConnectBindError(ConnectError):
    """This end of a connection to be made could not be bound to the address that was asked for."""

    MESSAGE = "Couldn't bind"


class UnknownHostError(ConnectError):
    """The host to connect to is not known."""

    MESSAGE = "Hostname couldn't be looked up"


class NoRouteError(ConnectError):
    """The network to connect to cannot be reached."""

    MESSAGE = "No route to host"


class ConnectionRefusedError(ConnectError):
    """Nobody listens at the other end."""

    MESSAGE = "Connection was refused by other side"


class TCPTimedOutError(ConnectError):
    """The system got no answer from the other end."""

    MESSAGE = "TCP connection timed out"


class BadFileError(ConnectError):
    """The file at a Unix socket's path cannot be used: it is missing, no socket, or nobody serves it."""

    MESSAGE = "File used for UNIX socket is no good"


class ServiceNameUnknownError(ConnectError):
    """A port was given by the name of a service that the system does not know."""

    MESSAGE = "Service name given as port is unknown"


class UserError(ConnectError):
    """An attempt to connect was given up because the program asked for it."""

    MESSAGE = "User aborted connection"


class TimeoutError(UserError):
    """An attempt to connect took longer than the program allowed."""

    MESSAGE = "User timeout caused connection failure"


class SSLError(ConnectError):
    """A connection could not be made secure."""

    MESSAGE = "An SSL error occurred"


class VerifyError(_Plain, Exception):
    """Something could not be proved to be what it claims."""

    MESSAGE = "A signature could not be verified"


class PeerVerifyError(VerifyError):
    """The peer could not prove who it is."""

    MESSAGE = "The peer could not prove its identity"


class CertificateError(_Plain, Exception):
    """A certificate is missing or not acceptable."""

    MESSAGE = "No acceptable certificate was found"


class ConnectInProgressError(Exception):
    """A connection is being made already."""


class ConnectingCancelledError(Exception):
    """An attempt to connect was cancelled.

    :ivar address: the address that it went to.
    """

    def __init__(self, address: object) -> None:
        super().__init__(address)
        self.address = address


class NotConnectingError(_Sentence, RuntimeError):
    """A connector was told to stop an attempt while none was under way."""

    MESSAGE = "The Connector was not connecting when it was asked to stop connecting"


class NoProtocol(Exception):
    """A factory was asked for a protocol and gave none, so the connection was closed."""


# --- connections that end ----------------------------------------------------------------------------------------


class ConnectionClosed(Exception):
    """A connection is closed, in order or not."""


class ConnectionDone(_Sentence, ConnectionClosed):
    """A connection was closed in order."""

    MESSAGE = "Connection was closed cleanly"


class ConnectionLost(_Sentence, ConnectionClosed):
    """A connection broke, or was closed out of order."""

    MESSAGE = "Connection to the other side was lost in a non-clean fashion"


class ConnectionAborted(ConnectionLost):
    """This side closed the connection at once, by ``abortConnection``."""

    MESSAGE = "Connection was aborted locally using ITCPTransport.abortConnection"


class ConnectionFdescWentAway(ConnectionLost):
    """A connection's descriptor was closed behind the reactor's back."""

    MESSAGE = "Uh"


class FileDescriptorRefused(RuntimeError):
    """A descriptor was to be sent over a connection that cannot carry one, because it is secure: TLS carries bytes only.

    Send descriptors before ``startTLS``, or over another connection.
    """


class FileDescriptorOverrun(ConnectionLost):
    """More open files were queued for sending than there were bytes to send them along with.

    Write at least one byte after each ``IUNIXTransport.sendFileDescriptor``.
    """

    MESSAGE = "A mis-use of IUNIXTransport.sendFileDescriptor caused the connection to be closed"


# --- processes ---------------------------------------------------------------------------------------------------


class ProcessDone(ConnectionDone):
    """A child process ended with exit status 0.

    :ivar exitCode: 0.
    :ivar signal: None.
    :ivar status: what the system told of its end.
    """

    MESSAGE = "A process has ended without apparent errors"

    def __init__(self, status: int | None) -> None:
        super().__init__("process finished with exit code 0")
        self.exitCode = 0
        self.signal: int | None = None
        self.status = status


class ProcessTerminated(ConnectionLost):
    """A child process ended by a signal or with an exit status other than 0.

    :ivar exitCode: its exit status, or None if a signal ended it.
    :ivar signal: the number of the signal that ended it, or None.
    :ivar status: what the system told of its end.
    """

    MESSAGE = "A process has ended with a probable error condition"

    def __init__(self, exitCode: int | None = None, signal: int | str | None = None, status: int | None = None) -> None:
        text = "process ended"
        if exitCode is not None:
            text += f" with exit code {exitCode}"
        if signal is not None:
            text += f" by signal {signal}"
        super().__init__(text)
        self.exitCode = exitCode
        self.signal = signal
        self.status = status


class ProcessExitedAlready(Exception):
    """A child process was to be signalled that has ended."""


# --- timers and the reactor --------------------------------------------------------------------------------------


class AlreadyCalled(_Sentence, ValueError):
    """A delayed call was to be cancelled or moved that was made already."""

    MESSAGE = "Tried to cancel an already-called event"


class AlreadyCancelled(_Sentence, ValueError):
    """A delayed call was to be cancelled or moved that was cancelled already."""

    MESSAGE = "Tried to cancel an already-cancelled event"


class ReactorAlreadyInstalledError(AssertionError):
    """A global reactor was to be installed while there is one."""


class ReactorAlreadyRunning(RuntimeError):
    """A reactor was to be run that runs."""


class ReactorNotRunning(RuntimeError):
    """A reactor was to be stopped that does not run, or is stopping already."""


class ReactorNotRestartable(RuntimeError):
    """A reactor was to be run again that can run only once. torsion's own can be run again."""


class WrongThreadError(RuntimeError):
    """A reactor, or something that belongs to it, was used from another thread than the one that runs it.

    Make the call by way of ``reactor.callFromThread``, which is safe from every thread.
    """


class WrongProcessError(RuntimeError):
    """A reactor, or something that belongs to it, was used in a process that was forked off the reactor's own.

    Make a reactor in the new process, or fork before there is one; see ``docs/reactors.md``.
    """


errnoMapping: Mapping[int, type[ConnectError]]
"""Which exception tells of which of the system's errors while connecting, by number."""

errnoMapping = {
    errno.ENETUNREACH: NoRouteError,
    errno.ECONNREFUSED: ConnectionRefusedError,
    errno.ETIMEDOUT: TCPTimedOutError,
}
for _name, _class in (("WSAECONNREFUSED", ConnectionRefusedError), ("WSAENETUNREACH", NoRouteError)):
    if hasattr(errno, _name):  # Windows has its own numbers for the same two errors
        errnoMapping[getattr(errno, _name)] = _class


def getConnectError(e: object) -> ConnectError:
    """Find the exception that tells best why a connection could not be made.

    :param e: what went wrong: an :class:`OSError`, or a pair of its number and its message.
    :returns: a :class:`ConnectError`, or the subclass of it that fits the number; not raised. Its ``osError`` is the
        number and its argument the message. For anything else it is a ConnectError with *e* itself as its argument.
    """
    pair = e.args if isinstance(e, BaseException) else e
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        return ConnectError(string=e)
    number, string = pair
    # Whoever has such an error has loaded it.  The others need not, and could not if what fails is for want of descriptors.
    socket = sys.modules.get("socket")
    if socket is not None and isinstance(e, socket.gaierror):
        return UnknownHostError(number, string)
    return errnoMapping.get(number, ConnectError)(number, string)
