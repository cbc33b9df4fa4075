"""What a program has put its own in the place of: where that is so, requests are made and answered in the long way."""

from __future__ import annotations

from typing import Any, Final

from torsion.web.http.body import MOST_IN_MEMORY
from torsion.web.http.request import Request

__all__ = ["is_quiet", "is_served", "is_usual", "most_gathered"]

_OF_ANSWERS: Final = ("writeHeaders", "write", "writeSequence", "requestDone")
"""What a channel does with an answer."""

_OF_HEADS: Final = ("checkPersistence", "allHeadersReceived", "allContentReceived", "headerReceived", "resetTimeout")
"""What a channel is told, or asked, of a request."""

_OF_REQUESTS: Final = (
    "__init__",
    "requestReceived",
    "gotHead",
    "parseCookies",
    "_take",
    "__setattr__",
    "__getattribute__",
)
"""What happens to a request without a body before its ``process``, in the short way without a call."""


def is_usual(channel: Any, base: type) -> bool:
    """Return whether answers may be written to the transport of *channel* itself.

    :param base: the class of channels whose methods need not be called.
    """
    factory = channel.factory
    return _are_of(channel, base, _OF_ANSWERS) and (factory is None or hasattr(factory, "silent"))


def is_served(channel: Any, base: type, factory: Any) -> bool:
    """Return whether what happens before a request's ``process`` is what it always is.

    :param base: as above.
    :param factory: makes the requests.
    """
    return (
        isinstance(factory, type)
        and issubclass(factory, Request)
        and factory.__new__ is object.__new__
        and all(getattr(factory, name) is getattr(Request, name) for name in _OF_REQUESTS)
        and getattr(factory.gotLength, "only_makes_room", False)
        and getattr(channel.site, "getContentFile", None) is None
        and channel.requestTimeout is None
        and _are_of(channel, base, _OF_HEADS)
    )


def most_gathered(factory: Any) -> int:
    """Return how many bytes a body may have that is gathered natively, and given to its request as a whole; 0 for none.

    :param factory: the class of requests: if it wants to know of a body before that is complete, none is gathered.
    """
    asks_nobody = (
        getattr(factory.headReceived, "only_asks_site", False)
        and factory.handleContentChunk is Request.handleContentChunk
    )
    return MOST_IN_MEMORY - 1 if asks_nobody else 0


def is_quiet(factory: Any) -> bool:
    """Return whether nothing that a program has written runs between an answer that is made at once and the end of ``process``."""
    return all(getattr(getattr(factory, name, None), "ends_with_answer", False) for name in ("process", "render"))


def _are_of(channel: Any, base: type, names: tuple[str, ...]) -> bool:
    kind = type(channel)
    return channel.__dict__.keys().isdisjoint(names) and all(
        getattr(kind, name) is getattr(base, name) for name in names
    )
