"""What hands a file to the connection, which sends it without it being read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Final

from zope.interface import implementer

from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.http.files import file_way, write_file
from torsion.web.static.producers import NoRangeStaticProducer, SingleRangeStaticProducer, StaticProducer

__all__ = ["AT_ONCE", "FileHander", "handed"]

_log = Logger()

AT_ONCE: Final = 256 * 1024
"""How many bytes are handed over at once.  A client has its time for each of these, as it has where they are read: with more, one
that takes them slowly would be taken for one that takes nothing."""


def handed(producer: StaticProducer) -> StaticProducer:
    """Return what sends the same as *producer* without reading it; *producer* itself if that cannot be."""
    kind = type(producer)
    if kind is SingleRangeStaticProducer:
        offset, size = producer.offset, producer.size  # type: ignore[attr-defined]  # it is one of those
    elif kind is NoRangeStaticProducer:
        offset, size = 0, producer.size  # type: ignore[attr-defined]  # as above
    else:
        return producer
    way = file_way(producer.request)
    if way is None or not size:
        return producer
    try:
        descriptor = producer.fileObject.fileno()
    except (OSError, AttributeError):  # it is none of the system's
        return producer
    return FileHander(producer, way, descriptor, offset, size)


@implementer(IPushProducer)
class FileHander(StaticProducer):
    """Hands a part of a file to the connection, some of it at a time.

    :ivar offset: where what is left begins.
    :ivar left: how many bytes are left.
    """

    def __init__(
        self, reader: StaticProducer, way: Callable[[int, int, int], None], descriptor: int, offset: int, size: int
    ) -> None:
        """Make one in the place of *reader*."""
        super().__init__(reader.request, reader.fileObject)
        self._way = way
        self._descriptor = descriptor
        self.offset = offset
        self.left = size
        self._paused = False

    def start(self) -> None:
        """Begin to send."""
        if self.left > AT_ONCE:
            # What is handed over is sent later: the end of the connection says whether it was there.
            self.request.notifyFinish().addErrback(self._lost)
            self.request.registerProducer(self, True)
        self._hand_over()

    def _lost(self, reason: Failure) -> None:
        causes = [each.errno for each in reason.value.args if isinstance(each, OSError)]
        if errno.ENODATA in causes:  # so the connection says that there was less of the file than was handed over
            _log.warn("{name} has become shorter while it was sent; the connection is closed", name=self._name())

    def pauseProducing(self) -> None:
        """Wait: the client takes no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._hand_over()

    def _hand_over(self) -> None:
        while self.request and not self._paused:
            count = min(self.left, AT_ONCE)
            try:
                short = os.fstat(self._descriptor).st_size < self.offset + count
                if not short:
                    write_file(self.request, self._way, self._descriptor, self.offset, count)
            except OSError as error:
                _log.error("{name} could not be sent to its end: {error}", name=self._name(), error=error)
                self._break_off()
                return
            if short:
                self._ended_early()
                return
            self.offset += count
            self.left -= count
            if not self.left:
                self._finish()
                return
