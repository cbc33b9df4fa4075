"""Whether a client has the file already, or may have it as it is: RFC 9110, 13; and which codings it takes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from torsion.web.http.dates import stringToDatetime
from torsion.web.http.status import NOT_MODIFIED, PRECONDITION_FAILED

if TYPE_CHECKING:
    import os

__all__ = ["CONDITIONS", "accepted_codings", "etag_of", "failed_condition", "range_holds"]

CONDITIONS: Final = (b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since")
"""The headers that have a condition, but for that of ranges."""

JUST_NOW: Final = 1.0
"""So many seconds after a change a file may change again without its time showing it, on the coarsest of file systems that matter:
until then its entity tag is a weak one, and parts of it are not put together with others."""


def etag_of(status: os.stat_result, coding: str = "") -> bytes:
    """Return the entity tag of a file: of its size, and the time of its last change.

    :param coding: how what is sent is encoded: each coding has a tag of its own.
    """
    tag = b'"%x-%x%b"' % (status.st_size, status.st_mtime_ns, f"-{coding}".encode("ascii") if coding else b"")
    return b"W/" + tag if time.time() - status.st_mtime < JUST_NOW else tag


def _listed(values: Iterable[bytes]) -> list[bytes]:
    """Return the entity tags of a list; commas within quotes are rare, and taken for the end of one that matches nothing."""
    return [tag.strip() for tag in b",".join(values).split(b",") if tag.strip()]


def _weakly(tag: bytes) -> bytes:
    return tag.removeprefix(b"W/")


def _date(value: bytes) -> int | None:
    try:
        return stringToDatetime(value.split(b";", 1)[0])
    except ValueError:
        return None  # RFC 9110, 13.1.3: as if it were not there


def failed_condition(request: Any, etag: bytes, modified: int) -> int | None:
    """Return the code by which a condition of the request has it answered without a body, or None: RFC 9110, 13.2.2.

    :param etag: of the file.
    :param modified: the time of its last change, in whole seconds.
    """
    get = request.requestHeaders.getRawHeaders
    match, none_match = get(b"if-match"), get(b"if-none-match")
    if match:
        tags = _listed(match)
        if b"*" not in tags and (etag.startswith(b"W/") or etag not in tags):
            return PRECONDITION_FAILED
    else:
        unmodified = get(b"if-unmodified-since")
        if unmodified and (since := _date(unmodified[-1])) is not None and modified > since:
            return PRECONDITION_FAILED
    if none_match:
        tags = _listed(none_match)
        if b"*" in tags or _weakly(etag) in map(_weakly, tags):
            return NOT_MODIFIED
    else:
        values = get(b"if-modified-since")
        if values and (since := _date(values[-1])) is not None and modified <= since:
            return NOT_MODIFIED
    return None


def range_holds(condition: bytes, etag: bytes, modified: int) -> bool:
    """Return whether a part may be sent, by If-Range: the client's other parts are of this very file (RFC 9110, 13.1.5)."""
    condition = condition.strip()
    if condition.endswith(b'"'):
        return condition == etag and not etag.startswith(b"W/")
    return _date(condition) == modified and not etag.startswith(b"W/")


def accepted_codings(values: Iterable[bytes]) -> set[str]:
    """Return the content codings that a client takes by Accept-Encoding, in lower case; ``*`` counts as gzip alone."""
    found: set[str] = set()
    for part in b",".join(values).lower().split(b","):
        name, *parameters = (each.strip() for each in part.split(b";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith(b"q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        coding = name.decode("latin-1")
        coding = {"x-gzip": "gzip", "*": "gzip"}.get(coding, coding)
        if weight > 0:
            found.add(coding)
        elif name != b"*":
            found.discard(coding)
    return found
