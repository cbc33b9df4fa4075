"""Comparing what is secret."""

from __future__ import annotations

from typing import Any

__all__ = ["same"]


def same(one: Any, other: Any) -> bool:
    """Return whether two secrets are equal, in a time that says nothing about where they differ.

    :param one: text or bytes; what is neither is compared as Python does.
    :param other: the same; text is never equal to bytes.
    """
    from hmac import compare_digest  # late, as in `digest`

    if isinstance(one, str) and isinstance(other, str):
        return compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
    if isinstance(one, bytes) and isinstance(other, bytes):
        return compare_digest(one, other)
    return bool(one == other)
