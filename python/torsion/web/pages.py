"""Pages that say that something is wrong.  What is given is text and is escaped.

They are plain for requests that do not say otherwise; those of ``web.server`` have ``pageStyle``, with which they are pleasant to read on
a phone and on a desk, in light and dark.
"""

from __future__ import annotations

from html import escape
from typing import Any

from torsion.web.http.status import FORBIDDEN, NOT_FOUND
from torsion.web.pagestyle import styled
from torsion.web.resource import Resource

__all__ = ["errorPage", "forbidden", "notFound"]


class _ErrorPage(Resource):
    """A page that says that something is wrong, and stands for everything below it, too."""

    def __init__(self, code: int, brief: str, detail: str) -> None:
        super().__init__()
        self._code = code
        self._brief, self._detail = escape(brief, quote=False), escape(detail, quote=False)

    def render(self, request: Any) -> bytes:
        """Answer with the page, whatever the method."""
        request.setResponseCode(self._code)
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        return (
            styled(request, self._code, self._brief, self._detail)
            or (
                f"<!DOCTYPE html>\n<html><head><title>{self._code} - {self._brief}</title></head>"
                f"<body><h1>{self._brief}</h1><p>{self._detail}</p></body></html>"
            ).encode()
        )

    def getChild(self, path: bytes, request: Any) -> Resource:
        """Return itself."""
        return self


def errorPage(code: int, brief: str, detail: str) -> Resource:
    """Return a resource that is a page for a status code.

    :param code: the code of the response, such as 404.
    :param brief: the title.
    :param detail: a sentence or two.
    """
    return _ErrorPage(code, brief, detail)


def notFound(brief: str = "No Such Resource", message: str = "Sorry. No luck finding that resource.") -> Resource:
    """Return a resource that says that nothing is there: code 404."""
    return _ErrorPage(NOT_FOUND, brief, message)


def forbidden(brief: str = "Forbidden Resource", message: str = "Sorry, resource is forbidden.") -> Resource:
    """Return a resource that says that it is for others: code 403."""
    return _ErrorPage(FORBIDDEN, brief, message)
