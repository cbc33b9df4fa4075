"""How requests end, well or badly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.web.error import Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.python.failure import Failure

__all__ = [
    "BadResponse",
    "DecompressionBomb",
    "PartialDownloadError",
    "PoolIsFull",
    "ProxyRefused",
    "RequestGenerationFailed",
    "RequestNotSent",
    "RequestTimedOut",
    "RequestTransmissionFailed",
    "ResponseDone",
    "ResponseFailed",
    "ResponseNeverReceived",
    "WrongBodyLength",
]


class ResponseDone(Exception):
    """The body of a response is complete: the reason that its protocol's ``connectionLost`` is called with."""


class RequestNotSent(Exception):
    """Nothing of a request was sent: its connection was busy with another one, or closed."""


class BadResponse(Exception):
    """What the server sent is no response, or none to what was asked."""


class WrongBodyLength(Exception):
    """A producer wrote more bytes, or fewer, than its ``length`` said."""


class DecompressionBomb(Exception):
    """A compressed body became so much larger than it was, or has so many pieces with nothing in them, that somebody must mean harm."""


class PoolIsFull(Exception):
    """Too many requests wait for a connection to one host already."""


class ProxyRefused(Exception):
    """A proxy did not connect to where it was asked to.

    :ivar status: the status code of its answer.
    """

    def __init__(self, status: int, reason: bytes, host: bytes, port: int) -> None:
        said = reason.decode("ascii", "backslashreplace")
        super().__init__(f"the proxy does not connect to {host.decode('ascii', 'replace')}:{port}: {status} {said}")
        self.status = status


class RequestTimedOut(TimeoutError):
    """Something took longer than it may.

    :ivar phase: what it was.
    :ivar seconds: how long it may take.
    """

    def __init__(self, phase: str, seconds: float) -> None:
        super().__init__(f"{phase} took longer than {seconds:g} seconds")
        self.phase = phase
        self.seconds = seconds


class _Wrapped(Exception):
    """Has reasons.

    :ivar reasons: Failures, the first one first.
    """

    def __init__(self, reasons: Sequence[Failure]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


class RequestGenerationFailed(_Wrapped):
    """A request could not be written: its producer failed, or it cannot be sent as it is."""


class RequestTransmissionFailed(_Wrapped):
    """The connection was lost before all of a request was sent."""


class ResponseFailed(_Wrapped):
    """A response came, but not all of it, or it cannot be used.

    :ivar response: the response, if so much of it came; else None.
    """

    def __init__(self, reasons: Sequence[Failure], response: Any = None) -> None:
        super().__init__(reasons)
        self.response = response


class ResponseNeverReceived(ResponseFailed):
    """All of a request was sent, and nothing came back."""


class NeedsHTTP11(ResponseFailed):
    """The server of HTTP/2 has done nothing for a request: it wants HTTP/1.1 for it."""


class PartialDownloadError(Error):
    """A body may be incomplete.

    :ivar response: what there is of it.
    """
