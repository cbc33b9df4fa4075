"""The factory of a server's connections: what they have in common, and the access log."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from io import BufferedIOBase, TextIOWrapper
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import DrainingFactory
from torsion.internet import _current
from torsion.internet.interfaces import IProtocolNegotiationFactory
from torsion.logger import Logger, globalLogBeginner
from torsion.web.http.accesslog import AccessLog
from torsion.web.http.channel import HTTPChannel
from torsion.web.http.dates import datetimeToLogString
from torsion.web.http.limits import MIN_BODY_RATE, MOST_STORED
from torsion.web.http.logging import combinedLogFormatter

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress

__all__ = ["HTTPFactory"]

_log = Logger()


@cache
def _has_h2() -> bool:
    """Return whether h2 is installed; it is not imported before somebody speaks HTTP/2."""
    return find_spec("h2") is not None


@implementer(IProtocolNegotiationFactory)
class HTTPFactory(DrainingFactory):
    """Makes the channels of a server, and has its access log.

    :ivar logPath: the file to which lines of the access log are appended; None for the log of the process.
    :ivar timeOut: the seconds after which an idle connection is closed; None for never.
    :ivar headerTimeout: the seconds that a head may take.
    :ivar requestTimeout: the seconds that a request and its response may take in all; None for any number.
    :ivar maxBodySize: how many bytes a body may have; None for any number.  The default, 1 GiB, is for bodies that are stored
        before the program sees them: those that it streams are as long as they like.
    :ivar minBodyRate: how many bytes a second of a body must come that is stored, or it is refused; None for any number.  Those
        that the program streams may come as slowly as they like, if never longer than :attr:`timeOut` not at all.
    :ivar http2: whether HTTP/2 is spoken, if ``h2`` is installed (``pip install torsion[http2]``); or what makes the protocol of
        such a connection, called with the channel.
    """

    protocol: Any = HTTPChannel
    requestFactory: Any = None
    logPath: str | None = None
    timeOut: float | None = 60
    headerTimeout: float | None = HTTPChannel.headerTimeout
    requestTimeout: float | None = None
    maxBodySize: int | None = MOST_STORED
    minBodyRate: float | None = MIN_BODY_RATE
    http2: Any = True
    silent = True
    """Whether there is no access log: then nobody need be told of what was answered."""

    _logFile: Any = None
    _logs_to_process = False
    _stopped = False
    _logDateTimeCall: Any = None
    _second = -1
    _logDateTime: str = ""

    def __init__(
        self,
        logPath: Any = None,
        timeout: float | None = 60,
        logFormatter: Any = None,
        reactor: Any = None,
        *,
        http2: Any = None,
    ) -> None:
        """Make the factory.

        :param logPath: the file of the access log; None for the log of the process.
        :param timeout: the seconds after which an idle connection is closed; None for never.
        :param logFormatter: an :class:`torsion.web.iweb.IAccessLogFormatter`; by default that of the combined format.
        :param reactor: the reactor for time-outs; the current one by default.
        :param http2: see the attribute; None for what the class has: True.
        """
        super().__init__()
        if http2 is not None:
            self.http2 = http2
        self._reactor = reactor
        if logPath is not None:
            self.logPath = str(logPath.decode() if isinstance(logPath, bytes) else getattr(logPath, "path", logPath))
        self.timeOut = timeout
        self._logFormatter = combinedLogFormatter if logFormatter is None else logFormatter

    @property
    def reactor(self) -> Any:
        """The reactor."""
        if self._reactor is None:
            self._reactor = _current.current_reactor()
        return self._reactor

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the channel of a connection."""
        self._listen()
        channel: Any = self.protocol()
        channel.factory = self
        channel.callLater = self.reactor.callLater
        channel.timeOut = self.timeOut
        channel.headerTimeout = self.headerTimeout
        channel.requestTimeout = self.requestTimeout
        channel.maxBodySize = self.maxBodySize
        channel.minBodyRate = self.minBodyRate
        if self.requestFactory is not None:
            channel.requestFactory = self.requestFactory
        return channel

    def acceptableProtocols(self) -> list[bytes]:
        """Return what TLS may negotiate, the best first."""
        return [b"h2", b"http/1.1"] if self.http2 and (self.http2 is not True or _has_h2()) else [b"http/1.1"]

    def makeHTTP2(self, channel: Any) -> Any:
        """Return the protocol of a connection that has chosen HTTP/2; None if this server does not speak it.

        :param channel: the channel, whose place it takes.
        """
        if self.http2 is not True:
            return self.http2(channel) if self.http2 else None
        if not _has_h2():
            return None
        from torsion.web.http2 import HTTP2Connection

        return HTTP2Connection(channel, MOST_STORED)

    # --- the access log ----------------------------------------------------------------------------------------------

    @property
    def logFile(self) -> Any:
        """The file to which lines of the access log are written."""
        if self._logFile is None:
            raise AttributeError("there is no log file before the factory is started")
        return self._logFile

    @logFile.setter
    def logFile(self, file: Any) -> None:
        if isinstance(file, BufferedIOBase):
            file = TextIOWrapper(file, "utf-8", write_through=True, newline="\n")
        self._logFile = file
        self._logs_to_process = False
        self._listen()

    def _listen(self) -> None:
        """See whether anybody reads the access log: nobody does that of a process which has not begun to log."""
        self.silent = (self._logFile is None or (self._logs_to_process and not globalLogBeginner.begun)) and getattr(
            self.log, "__func__", None
        ) is HTTPFactory.log

    def startFactory(self) -> None:
        """Open the access log."""
        self._stopped = False
        if self._logFile is None:
            if self.logPath is not None:
                self.logFile = AccessLog(self.logPath)
            else:
                from torsion.logger import legacy

                self.logFile = legacy.logfile
                self._logs_to_process = True
                self._listen()

    def stopFactory(self) -> None:
        """Close the access log, once the connections that are left have ended: they may have more requests."""
        self._stopped = True
        if not self.connections:
            self._close_log()

    def closed(self, protocol: Any) -> None:
        """Have one connection less."""
        super().closed(protocol)
        if self._stopped and not self.connections:
            self._close_log()

    def _close_log(self) -> None:
        file, self._logFile = self._logFile, None
        self._logs_to_process = False
        self._listen()
        if file is not None and self.logPath is not None:
            file.close()

    def log(self, request: Any) -> None:
        """Write a line of the access log for a request that was answered."""
        if self._logFile is None or (self._logs_to_process and not globalLogBeginner.begun):
            return
        if self._logDateTimeCall is None:  # else somebody sets the time of the lines
            second = int(self.reactor.seconds())
            if second != self._second:
                self._second, self._logDateTime = second, datetimeToLogString(second)
        try:
            line = self._logFormatter(self._logDateTime, request)
            if line is not None:
                self._logFile.write(line + "\n")
        except Exception:  # noqa: BLE001 - the program's: a line that cannot be made is no reason to break an answer off
            _log.failure("There is no line in the access log for {request!r}", request=request)
