"""The library h2, as both ends use it.  It is loaded when the first connection of HTTP/2 is made."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["make"]


def make(client: bool, limits: dict[str, int], **config: Any) -> Any:
    """Return the library's side of a connection.

    :param client: whether it is the client's.
    :param limits: what the other end is told (RFC 9113, 6.5.2), by names such as ``MAX_CONCURRENT_STREAMS``.
    :param config: what else the library is told.
    :raises ImportError: if h2 is missing.
    """
    try:
        from h2.config import H2Configuration
        from h2.settings import SettingCodes, Settings
    except ImportError as error:
        raise ImportError("HTTP/2 needs h2: pip install torsion[http2]", name="h2") from error
    made = _kind()(config=H2Configuration(client_side=client, header_encoding=None, **config))
    values = {SettingCodes[name]: value for name, value in limits.items()}
    made.local_settings = Settings(client=client, initial_values=values)
    made.decoder.max_header_list_size = limits["MAX_HEADER_LIST_SIZE"]
    return made


@cache
def _kind() -> Any:
    from h2.connection import H2Connection

    class Quiet(H2Connection):
        """Does not write frames out for a log that is off: h2 does so with all bytes of each, a fifth of a large body's time.

        These are private names of h2 and hyperframe.  Should they change, it is slower, and nothing else.
        """

        def _receive_frame(self, frame: Any) -> Any:
            frame._body_repr = _nothing
            return super()._receive_frame(frame)

    return Quiet


def _nothing() -> str:
    return ""
