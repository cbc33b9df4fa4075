"""Bodies: read whole, and produced."""

from __future__ import annotations

import os
import warnings
from typing import Any

from zope.interface import implementer

from torsion.internet import task
from torsion.internet.defer import Deferred, succeed
from torsion.internet.error import ConnectionDone
from torsion.internet.protocol import Protocol
from torsion.internet.task import TaskFinished
from torsion.python.failure import Failure
from torsion.web.client.errors import PartialDownloadError, ResponseDone
from torsion.web.client.response import Response
from torsion.web.error import PotentialDataLoss
from torsion.web.iweb import UNKNOWN_LENGTH, IBodyProducer

__all__ = ["BytesProducer", "FileBodyProducer", "readBody"]

READ_SIZE = 2**16
"""How many bytes of a file are read at a time: less costs more calls, more holds others up."""


class _Reading(Protocol):
    """Collects a body."""

    def __init__(self, response: Any, done: Deferred[bytes]) -> None:
        self._response = response
        self._done: Deferred[bytes] | None = done
        self._parts: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008 - one for all: it is not changed
        done, self._done = self._done, None
        if done is None:
            return
        body = b"".join(self._parts)
        self._parts.clear()
        if reason.check(ResponseDone, ConnectionDone):  # the latter is what a WebSocket's refusal ends with
            done.callback(body)
        elif reason.check(PotentialDataLoss):
            done.errback(PartialDownloadError(self._response.code, self._response.phrase, body))
        else:
            done.errback(reason)

    def cancel(self, _: object) -> None:
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()


def readBody(response: Any) -> Deferred[bytes]:
    """Read all of a response's body into memory.

    :param response: an :class:`torsion.web.iweb.IResponse`.
    :returns: a Deferred that fires with the body.  It fails with :class:`PartialDownloadError` if the server said no length
        and closed the connection, so that nobody knows whether this is all; else with what the body's protocol is told.  To
        cancel it closes the connection.
    """
    if type(response) is Response:
        whole = response.take()
        if whole is not None:
            return succeed(whole)
    reading: _Reading

    def cancel(deferred: Deferred[bytes]) -> None:
        reading.cancel(deferred)

    done: Deferred[bytes] = Deferred(cancel)
    reading = _Reading(response, done)
    response.deliverBody(reading)
    if reading.transport is not None and getattr(reading.transport, "abortConnection", None) is None:
        warnings.warn(
            "Using readBody with a transport that does not have an abortConnection method",
            DeprecationWarning,
            stacklevel=2,
        )
    return done


class _Never:
    """The result of what was cancelled."""


@implementer(IBodyProducer)
class FileBodyProducer:
    """Produces a body of what is in a file, from where it stands to its end; the file is closed then.

    :ivar length: how many bytes, or :data:`torsion.web.iweb.UNKNOWN_LENGTH` if the file cannot tell.
    """

    def __init__(self, inputFile: Any, cooperator: Any = task, readSize: int = READ_SIZE) -> None:
        """Produce from *inputFile*.

        :param inputFile: what is read from.
        :param cooperator: a :class:`torsion.internet.task.Cooperator`, whose turns the reads take; the common one by default.
        :param readSize: how many bytes to read at a time.
        """
        self._file = inputFile
        self._cooperate = cooperator.cooperate
        self._size = readSize
        self._task: Any = None
        self.length: Any = self._measure(inputFile)

    @staticmethod
    def _measure(file: Any) -> Any:
        try:
            here = file.tell()
            file.seek(0, os.SEEK_END)
            end = file.tell()
            file.seek(here)
        except (AttributeError, OSError):  # a pipe cannot tell
            return UNKNOWN_LENGTH
        return end - here

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Begin: see :class:`torsion.web.iweb.IBodyProducer`.  To cancel the Deferred stops, and closes the file."""
        self._task = self._cooperate(self._write_all(consumer))

        def cancel(done: Deferred[Any]) -> None:
            self.stopProducing()
            done.callback(_Never)

        def fail(reason: Failure) -> None:
            if not reason.check(task.TaskStopped):
                done.errback(reason)

        def end(result: Any) -> Any:
            return Deferred() if result is _Never else None  # who stops it is told nothing more

        done: Deferred[Any] = Deferred(cancel)
        self._task.whenDone().addCallbacks(done.callback, fail)
        return done.addCallback(end)

    def _write_all(self, consumer: Any) -> Any:
        try:
            while data := self._file.read(self._size):
                consumer.write(data)
                yield None
        finally:
            close = getattr(self._file, "close", None)
            if close is not None:
                close()

    def stopProducing(self) -> None:
        """Stop, and close the file."""
        self._file.close()
        if self._task is not None:
            try:
                self._task.stop()
            except TaskFinished:
                pass

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._task.pause()

    def resumeProducing(self) -> None:
        """Read again."""
        self._task.resume()


@implementer(IBodyProducer)
class BytesProducer:
    """Produces a body of bytes that are in memory."""

    def __init__(self, body: bytes) -> None:
        """Produce *body*."""
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Write all of it."""
        consumer.write(self._body)
        return succeed(None)

    def stopProducing(self) -> None:
        """Do nothing: it is written already."""

    pauseProducing = resumeProducing = stopProducing
