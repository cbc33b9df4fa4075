"""What the exceptions say, of what kind they are, and that they survive pickling."""

import errno
import inspect
import pickle
import socket

import pytest

from torsion.internet import error

ABOUT_CONNECTING = [
    each for each in vars(error).values() if inspect.isclass(each) and issubclass(each, error.ConnectError)
]
REFUSED = OSError(errno.EADDRINUSE, "Address already in use")


def test_all_names_are_there_and_sorted():
    assert error.__all__ == sorted(error.__all__)
    assert all(hasattr(error, name) for name in error.__all__)


@pytest.mark.parametrize(
    ("exception", "text"),
    [
        (error.ConnectionDone(), "Connection was closed cleanly."),
        (error.ConnectionDone("Bye"), "Connection was closed cleanly: Bye."),
        (error.ConnectionLost(1, "b"), "Connection to the other side was lost in a non-clean fashion: 1 b."),
        (error.ConnectionAborted(), "Connection was aborted locally using ITCPTransport.abortConnection."),
        (error.BindError("eth0"), "An error occurred binding to an interface: eth0."),
        (error.CannotListenError("eth0", 80, OSError("no")), "Couldn't listen on eth0:80: no."),
        (error.CannotListenError("", 80, REFUSED), f"Couldn't listen on any:80: {REFUSED}."),
        (error.CannotListenError(None, "/run/x", OSError("no")), "Couldn't listen on any:/run/x: no."),
        (error.DNSLookupError("nowhere.example"), "DNS lookup failed: nowhere.example."),
        (error.ConnectError(), "An error occurred while connecting."),
        (error.ConnectError(111, "Refused"), "An error occurred while connecting: 111: Refused."),
        (error.ConnectError(string="Refused"), "An error occurred while connecting: Refused."),
        (error.ConnectionRefusedError(111), "Connection was refused by other side: 111."),
        (error.TimeoutError(), "User timeout caused connection failure."),
        (error.AlreadyCalled("x", 2), "Tried to cancel an already-called event: x 2."),
        (error.ProcessDone(None), "A process has ended without apparent errors: process finished with exit code 0."),
        (
            error.ProcessTerminated(exitCode=3, signal=9),
            "A process has ended with a probable error condition: process ended with exit code 3 by signal 9.",
        ),
        (error.ProcessTerminated(), "A process has ended with a probable error condition: process ended."),
        (
            error.ProcessTerminated(signal="SIGBUS"),
            "A process has ended with a probable error condition: process ended by signal SIGBUS.",
        ),
        (error.VerifyError(), "A signature could not be verified."),
        (error.CertificateError("expired"), "expired"),
        (error.PeerVerifyError("not", "trusted"), "('not', 'trusted')"),
        (error.InvalidAddressError("localhost", "not numeric"), "('localhost', 'not numeric')"),
        (error.WrongThreadError("use callFromThread"), "use callFromThread"),
        (error.WrongProcessError("fork before"), "fork before"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_text(exception, text):
    assert str(exception) == text


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (error.ConnectionDone, error.ConnectionClosed),
        (error.ConnectionLost, error.ConnectionClosed),
        (error.ConnectionAborted, error.ConnectionLost),
        (error.ConnectionFdescWentAway, error.ConnectionLost),
        (error.FileDescriptorOverrun, error.ConnectionLost),
        (error.ProcessDone, error.ConnectionDone),
        (error.ProcessTerminated, error.ConnectionLost),
        (error.TimeoutError, error.UserError),
        (error.CannotListenError, error.BindError),
        (error.PeerVerifyError, error.VerifyError),
        (error.DNSLookupError, OSError),
        (error.InvalidAddressError, ValueError),
        (error.AlreadyCalled, ValueError),
        (error.AlreadyCancelled, ValueError),
        (error.NotConnectingError, RuntimeError),
        (error.NotListeningError, RuntimeError),
        (error.ReactorAlreadyInstalledError, AssertionError),
        (error.ReactorNotRunning, RuntimeError),
        (error.WrongThreadError, RuntimeError),
        (error.WrongProcessError, RuntimeError),
    ],
)
def test_kinds(kind, base):
    assert issubclass(kind, base)


def test_names_of_the_stdlib_are_other_classes():
    assert not issubclass(error.ConnectionRefusedError, OSError)
    assert not issubclass(error.TimeoutError, OSError)


def test_attributes():
    cannot = error.CannotListenError("eth0", 80, REFUSED)
    assert (cannot.interface, cannot.port, cannot.socketError) == ("eth0", 80, REFUSED)
    where = object()
    assert error.ConnectingCancelledError(where).address is where
    invalid = error.InvalidAddressError("localhost", "not numeric")
    assert (invalid.address, invalid.message) == ("localhost", "not numeric")
    done = error.ProcessDone(7)
    assert (done.exitCode, done.signal, done.status) == (0, None, 7)
    ended = error.ProcessTerminated(1, 2, 3)
    assert (ended.exitCode, ended.signal, ended.status) == (1, 2, 3)


class Own(error.ConnectError):
    """An application's subclass with a constructor of its own."""

    def __init__(self, host):
        super().__init__(string=host)
        self.host = host


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "exception",
    [
        *(kind(111, "no") for kind in ABOUT_CONNECTING),
        error.ConnectError(),
        Own("example.org"),
        error.ConnectionLost("a", 2),
        error.CannotListenError("eth0", 80, OSError("no")),
        error.InvalidAddressError("a", "b"),
        error.ProcessDone(1),
        error.ProcessTerminated(1, 2, 3),
        error.ConnectingCancelledError("there"),
        error.DNSLookupError("nowhere.example"),
        error.CertificateError("x"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_pickling(exception, protocol):
    again = pickle.loads(pickle.dumps(exception, protocol))
    assert type(again) is type(exception)
    assert str(again) == str(exception)
    assert repr(again.__dict__) == repr(exception.__dict__)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, error.ConnectionRefusedError),
        (errno.ENETUNREACH, error.NoRouteError),
        (errno.ETIMEDOUT, error.TCPTimedOutError),
        (errno.EADDRNOTAVAIL, error.ConnectError),
    ],
)
@pytest.mark.parametrize(
    "form", [OSError, lambda *pair: pair, lambda *pair: list(pair)], ids=["OSError", "tuple", "list"]
)
def test_the_systems_error_becomes_ours(number, kind, form):
    found = error.getConnectError(form(number, "why"))
    assert type(found) is kind
    assert found.osError == number
    assert found.args == ("why",)


def test_a_lookups_error_becomes_ours():
    found = error.getConnectError(socket.gaierror(12, "hello"))
    assert type(found) is error.UnknownHostError
    assert found.osError == 12


@pytest.mark.parametrize("strange", [Exception(), OSError("one"), (1, 2, 3), "ab", None])
def test_what_is_no_system_error_is_kept_as_it_is(strange):
    found = error.getConnectError(strange)
    assert type(found) is error.ConnectError
    assert found.osError is None
    assert found.args == (strange,)


def test_the_mapping_is_used(monkeypatch):
    monkeypatch.setitem(error.errnoMapping, errno.EHOSTUNREACH, error.NoRouteError)
    assert type(error.getConnectError((errno.EHOSTUNREACH, "x"))) is error.NoRouteError
