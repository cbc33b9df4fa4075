"""Errors name the request that they are of, and a remedy where there is one that is not plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet.error import ConnectionClosed, SSLError
from torsion.web.client import ResponseNeverReceived
from torsion.web.error import PageRedirect
from torsion.web.fetch.asking import without_login

if TYPE_CHECKING:
    from typing import TypeVar

    E = TypeVar("E", bound=BaseException)

__all__ = ["explained"]


def explained(error: E, whole: BaseException, method: str, url: str) -> E:
    """Return *error* with a note (PEP 678).

    :param whole: the error that it was in, or the same.
    """
    words = f"{method} {without_login(url)}"
    if isinstance(error, SSLError):
        if type(error).__name__ == "UnknownIssuer":
            words += ": to trust another authority, give policy=BrowserLikePolicyForHTTPS(trustRoot) to the Client"
    elif isinstance(error, ConnectionClosed) and isinstance(whole, ResponseNeverReceived):
        words += ": the server has closed the connection without an answer"
        if url.startswith("http:"):
            words += "; if it is one of https, ask with https://"
    elif isinstance(error, PageRedirect):
        words += ": from https to http no redirect is followed"
    if words not in getattr(error, "__notes__", ()):
        error.add_note(words)
    return error
