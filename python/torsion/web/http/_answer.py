"""Answers that are whole at once, and headers of responses that few have: what there is natively, too.

See ``rust/native/src/http1/answer.rs``.
"""

from __future__ import annotations

from typing import Any

from torsion.web.http_headers import _written

__all__ = ["HTTPAnswer"]


class HTTPAnswer:
    """The answering half of a request: one of its bases."""

    __slots__ = ()

    def setHeader(self: Any, name: bytes | str, value: bytes | str) -> None:
        """Give a header of the response this one value.  A line end in it becomes a space.

        :raises torsion.web.http_headers.InvalidHeaderName: if *name* cannot be one.
        """
        few = self._few
        if (
            few is not None
            and type(name) is bytes
            and type(value) is bytes
            and b"\r" not in value
            and b"\n" not in value
        ):
            written = _written.get(name)
            if written is not None:
                few[written] = value
                return
        self._setHeader(name, value)

    def _answerAtOnce(self, body: bytes) -> bool:
        """Answer with *body* and finish, if that can be done in a shorter way than with ``write`` and ``finish``.

        :returns: whether it has been.  In Python there is no shorter way.
        """
        del body
        return False
