"""The environment in which an application answers a request."""

from __future__ import annotations

import os
from typing import Any, Final

from torsion.web.wsgi.streams import ErrorStream, FileWrapper, InputStream

__all__ = ["make_environ"]

_NOT_PASSED_ON: Final = frozenset([b"content-type", b"content-length", b"transfer-encoding", b"proxy"])
"""Headers that have a name of their own, or are settled; ``Proxy`` would become ``HTTP_PROXY``, by which programs find their proxy."""

_errors: Final = ErrorStream()


def _text(value: bytes | str) -> str:
    """Return bytes as text in the way of PEP 3333: a character for each byte."""
    return value if isinstance(value, str) else value.decode("latin-1")


def _path(segments: Any) -> str:
    return _text(b"/" + b"/".join(segments)) if segments else ""


def make_environ(request: Any, content: Any) -> dict[str, Any]:
    """Return the environment for a request whose body is complete.

    :param request: an ``iweb.IRequest``; what it has of the path in ``postpath`` is the application's.
    :param content: the file with the body, which the application reads.
    """
    headers = request.requestHeaders
    secure = request.isSecure()
    host, client = request.getHost(), request.getClientAddress()
    query = request.uri.partition(b"?")[2]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": _text(request.method),
        "SCRIPT_NAME": _path(request.prepath),
        "PATH_INFO": _path(request.postpath),
        "QUERY_STRING": _text(query),
        "CONTENT_TYPE": _last(headers, b"content-type"),
        "CONTENT_LENGTH": _last(headers, b"content-length"),
        "SERVER_NAME": _text(request.getRequestHostname()),
        "SERVER_PORT": str(getattr(host, "port", 443 if secure else 80)),
        "SERVER_PROTOCOL": _text(request.clientproto),
        "REMOTE_ADDR": str(getattr(client, "host", "")),  # none over a Unix socket
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.input": InputStream(content),
        "wsgi.input_terminated": True,  # reading to the end of it is safe: chunks are put together
        "wsgi.errors": _errors,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    port = getattr(client, "port", None)
    if port is not None:
        environ["REMOTE_PORT"] = str(port)
    if headers.hasHeader(b"transfer-encoding"):
        environ["CONTENT_LENGTH"] = str(_size(content))  # the end is known by now, and applications ask for the length
    for name, values in headers.getAllRawHeaders():
        low = name.lower()
        # An underscore would be taken for the hyphen of another header, which a proxy may have looked at.
        if low not in _NOT_PASSED_ON and b"_" not in low:
            between = b"; " if low == b"cookie" else b","
            environ["HTTP_" + _text(low).upper().replace("-", "_")] = _text(between.join(values))
    return environ


def _last(headers: Any, name: bytes) -> str:
    values = headers.getRawHeaders(name)
    return _text(values[-1]) if values else ""


def _size(content: Any) -> int:
    at: int = content.tell()
    size: int = content.seek(0, os.SEEK_END)
    content.seek(at)
    return size - at
