"""HTTP, the protocol: servers.

``factory`` and its ``channel``s, the connections · ``request`` what comes and what is answered, with its ``body`` ·
``status`` codes, ``dates``, ``cookies``, ``forms``, ``chunks`` · ``logging`` lines of access logs, ``accesslog`` their file.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

from torsion.web.error import PotentialDataLoss
from torsion.web.http.asking import (
    _IDeprecatedHTTPChannelToRequestInterface as _IDeprecatedHTTPChannelToRequestInterface,
)
from torsion.web.http.body import BodyStream
from torsion.web.http.channel import HTTPChannel
from torsion.web.http.chunks import fromChunk, maxChunkSizeLineLength, parseContentRange, toChunk
from torsion.web.http.dates import (
    datetimeToLogString,
    datetimeToString,
    monthname,
    monthname_lower,
    stringToDatetime,
    timegm,
    weekdayname,
    weekdayname_lower,
)
from torsion.web.http.factory import HTTPFactory
from torsion.web.http.forms import parse_qs, urlparse
from torsion.web.http.logging import (
    apacheLogFormatter,
    apacheProxiedLogFormatter,
    combinedLogFormatter,
    jsonLogFormatter,
    proxiedLogFormatter,
)
from torsion.web.http.request import CACHED, Request
from torsion.web.http.status import *  # noqa: F403 - the codes: its __all__
from torsion.web.http.status import __all__ as _codes

protocol_version = "HTTP/1.1"
"""The version that is spoken."""


def __getattr__(name: str) -> object:
    if name == "H2_ENABLED":  # looked for when somebody wants to know
        from importlib.util import find_spec

        return find_spec("h2") is not None
    if name == "HTTPClient":  # by its name alone: it is not to be loaded with servers
        import warnings

        from torsion.web.http.oldclient import HTTPClient

        said = "torsion.web.http.HTTPClient was deprecated in Twisted 24.7.0: Use torsion.web.client.Agent instead."
        warnings.warn(said, DeprecationWarning, stacklevel=2)
        return HTTPClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class StringTransport(BytesIO):
    """A file in memory with a transport's ``writeSequence``."""

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Write all of *seq*."""
        self.writelines(seq)


__all__ = [  # noqa: PLE0604 - the codes are names
    "CACHED",
    "BodyStream",
    "HTTPChannel",
    "HTTPFactory",
    "PotentialDataLoss",
    "Request",
    "StringTransport",
    "apacheLogFormatter",
    "apacheProxiedLogFormatter",
    "combinedLogFormatter",
    "datetimeToLogString",
    "datetimeToString",
    "fromChunk",
    "jsonLogFormatter",
    "maxChunkSizeLineLength",
    "monthname",
    "monthname_lower",
    "parseContentRange",
    "parse_qs",
    "protocol_version",
    "proxiedLogFormatter",
    "stringToDatetime",
    "timegm",
    "toChunk",
    "urlparse",
    "weekdayname",
    "weekdayname_lower",
    *_codes,
]
