"""A response that an application makes in a thread, and the reactor sends."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, Final

from zope.interface import implementer

from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.wsgi.environ import make_environ

__all__ = ["MOST_UNDER_WAY", "HopByHopHeaderError", "Response"]

_log = Logger(namespace="torsion.web.wsgi")

MOST_UNDER_WAY: Final = 64 * 1024
"""How many bytes may be on their way from the application's thread to the reactor before the thread waits.  Together with what a
transport keeps for a slow client this is what a response costs in memory, however large it is."""

HOP_BY_HOP: Final = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
"""Headers that tell of the connection, which is the server's: RFC 9110 section 7.6.1, PEP 3333."""

_OURS: Final = frozenset(["server", "date"])
"""Headers that the server writes; the application's are left out."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""


class HopByHopHeaderError(ValueError):
    """An application has given a header that tells of the connection, which is the server's business: leave it out."""


@implementer(IPushProducer)
class Response:
    """One call of an application, and what comes of it.

    ``run`` is called in a thread; what has ``_in_reactor`` in its name, and the producer's methods, in the reactor's.
    """

    def __init__(self, reactor: Any, request: Any, application: Callable[..., Any]) -> None:
        self._reactor = reactor
        self._request = request
        self._application = application
        # The body is the application's from here on: it may read it when the client is gone, and the request done with.
        self._content, request.content = request.content, BytesIO()
        self._environ = make_environ(request, self._content)
        self._status: str | None = None
        self._headers: Sequence[Any] = ()
        self._started = False
        self._sent_any = False
        self._room = threading.Condition()
        self._under_way = 0
        self._paused = False
        self._gone: ConnectionResetError | None = None
        self._registered = False
        request.notifyFinish().addErrback(self._client_left)

    # --- in the thread -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Call the application, send what it returns, and close that.  Errors are logged, and end the response."""
        try:
            if self._gone is None:
                self._call_application()
        except BaseException as error:  # noqa: BLE001 - whatever the application raises ends its response, and no thread
            if error is not self._gone:
                self._reactor.callFromThread(self._fail_in_reactor, Failure())
        else:
            if self._gone is None:
                self._reactor.callFromThread(self._finish_in_reactor)
        finally:
            self._content.close()

    def _call_application(self) -> None:
        result = self._application(self._environ, self.start_response)
        try:
            try:
                alone = len(result) == 1
            except TypeError:
                alone = False
            for data in result:
                if data:
                    self._send(data, alone)
                if self._gone is not None:
                    return
            if not self._started:
                self._send(b"", alone=False)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Set the head of the response, which is sent with the first bytes of the body (PEP 3333).

        :param status: the code and the reason: ``"200 OK"``.
        :param headers: pairs of names and values.
        :param exc_info: what ``sys.exc_info()`` returns, for a head that takes the place of another.
        :returns: a function that sends bytes; it waits while the client takes no more, and raises ``ConnectionResetError``
            once the client has left.
        :raises BaseException: that of *exc_info*, if the head was sent already.
        :raises RuntimeError: if it was sent, and there is no *exc_info*.
        :raises TypeError: if something is no text, or no list.
        :raises ValueError: if *status* has no code, a name or value has a control character, or a header is one of the
            connection, which the server sets.
        """
        try:
            if self._started:
                if exc_info is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
                raise RuntimeError("start_response was called again after the head of the response had been sent")
        finally:
            exc_info = None  # it holds frames that hold this
        _check_status(status)
        _check_headers(headers)
        self._status = status
        self._headers = list(headers)
        return self.write

    def write(self, data: bytes) -> None:
        """Send *data*: what :meth:`start_response` returns.

        :raises TypeError: if it is not bytes.
        :raises ConnectionResetError: if the client has left.
        """
        self._send(data, alone=False)
        if self._gone is not None:
            raise self._gone

    def _send(self, data: bytes, alone: bool) -> None:
        """Hand *data* to the reactor, when there is room for it; with the head, if this is the first.

        :param alone: whether there is no more: then its length is the response's.
        """
        if not isinstance(data, bytes):
            raise TypeError(f"Can only write bytes to a transport, not {data!r}")
        if self._status is None:
            raise RuntimeError("the application has to call start_response before it sends anything")
        with self._room:
            while (self._paused or self._under_way > MOST_UNDER_WAY) and self._gone is None:
                self._room.wait()
            if self._gone is not None:
                return
            self._under_way += len(data)
        if self._started:
            self._reactor.callFromThread(self._write_in_reactor, data)
        else:
            self._started = True
            self._reactor.callFromThread(self._start_in_reactor, self._status, self._headers, data, alone)

    # --- in the reactor ----------------------------------------------------------------------------------------------

    def _start_in_reactor(self, status: str, headers: Sequence[tuple[str, str]], data: bytes, alone: bool) -> None:
        if self._gone is None:
            request = self._request
            code, _, reason = status.partition(" ")
            request.setResponseCode(int(code), reason.encode("latin-1") or None)
            request.defaultContentType = None  # it is the application that knows
            fields = request.responseHeaders
            length = alone
            for name, value in headers:
                low = name.lower()
                length = length and low != "content-length"
                if low not in _OURS:
                    fields.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
            if length:
                fields.setRawHeaders(b"content-length", [b"%d" % len(data)])
            if not alone:
                self._registered = True
                request.registerProducer(self, True)
        self._write_in_reactor(data)

    def _write_in_reactor(self, data: bytes) -> None:
        if self._gone is None:
            try:
                self._request.write(data)
            except Exception as error:  # noqa: BLE001 - a subclass of the request's, an encoder: nothing more can be sent
                self._fail_in_reactor(Failure())
                self._client_left(Failure(error))
        with self._room:
            self._under_way -= len(data)
            self._room.notify()

    def _finish_in_reactor(self) -> None:
        if self._gone is None:
            self._unregister()
            self._request.finish()

    def _fail_in_reactor(self, failure: Failure) -> None:
        if self._gone is not None:
            _log.failure("An application has failed after its client had left", failure)
            return
        self._unregister()
        self._request.processingFailed(failure)

    def _unregister(self) -> None:
        if self._registered:
            self._registered = False
            self._request.unregisterProducer()

    def _client_left(self, reason: Failure) -> None:
        with self._room:
            self._gone = ConnectionResetError(f"the client has left: {reason.getErrorMessage()}")
            self._room.notify()

    def pauseProducing(self) -> None:
        """Have the application wait when it sends: the client takes no more for now."""
        with self._room:
            self._paused = True

    def resumeProducing(self) -> None:
        """Have it go on."""
        with self._room:
            self._paused = False
            self._room.notify()

    def stopProducing(self) -> None:
        """Do nothing: the request tells that its connection is lost."""


def _check_status(status: Any) -> None:
    if not isinstance(status, str):
        raise TypeError(f"status must be str, not {status!r} ({type(status).__name__})")
    code, _, reason = status.partition(" ")
    if not (len(code) == 3 and code.isascii() and code.isdigit() and _is_plain(reason)):
        raise ValueError(
            f"status must be three digits, a space and a reason without control characters, not {status!r}"
        )


def _check_headers(headers: Any) -> None:
    if isinstance(headers, str | bytes) or not isinstance(headers, Sequence):
        raise TypeError(f"headers must be a list, not {headers!r} ({type(headers).__name__})")
    if not isinstance(headers, list):
        _warn(f"headers should be a list, not {headers!r} ({type(headers).__name__})")
    for header in headers:
        if isinstance(header, str | bytes) or not isinstance(header, Sequence):
            raise TypeError(f"header must be a (str, str) tuple, not {header!r} ({type(header).__name__})")
        if len(header) != 2:
            raise TypeError(f"header must be a (str, str) tuple, not {header!r}")
        if not isinstance(header, tuple):
            _warn(f"header should be a (str, str) tuple, not {header!r} ({type(header).__name__})")
        name, value = header
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(f"header must be (str, str) tuple, not {header!r}")
        if name.lower() in HOP_BY_HOP:
            raise HopByHopHeaderError(f"{name} tells of the connection, which is the server's: leave it out")
        if _TOKEN.fullmatch(name) is None:
            raise ValueError(f"a header's name must be a token, of letters, digits and hyphens, not {name!r}")
        if name.lower() == "content-length" and not (value.isascii() and value.isdigit()):
            raise ValueError(f"Content-Length must be a number, not {value!r}")
        if not _is_plain(value):
            raise ValueError(f"the value of {name} must be ISO-8859-1 without control characters, not {value!r}")


def _is_plain(value: str) -> bool:
    """Return whether there is nothing in a value that would begin another header."""
    return all((" " <= character <= "\xff" and character != "\x7f") or character == "\t" for character in value)


def _warn(what: str) -> None:
    # It is the caller of start_response who is told.
    warnings.warn(what, category=RuntimeWarning, stacklevel=4)
