"""Calls and their results, out of XML, and nothing else that XML can be told to do.

With ``defusedxml`` installed (``pip install torsion[xmlrpc]``) it reads; without, the stdlib's parser does, and is told to refuse the
same: whatever declares a document type, and so every entity, inside or elsewhere.
"""

from __future__ import annotations

import xmlrpc.client
from typing import Any, Final

__all__ = ["MAX_LENGTH", "TooLong", "load"]

MAX_LENGTH: Final = 16 * 1024 * 1024
"""So many bytes may a call have, and what it returns: what is read takes some twenty times as much memory, all at once."""


class TooLong(ValueError):
    """A call, or what it returned, has more than :data:`MAX_LENGTH` bytes."""


class _Parser(xmlrpc.client.ExpatParser):
    """The stdlib's parser, which refuses document types."""

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        parser: Any = vars(self)["_parser"]  # as it is called since Python 2; a test sees to it
        parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, name: str, *declared: Any) -> None:
        raise ValueError(f"the document type {name!r} is declared: XML-RPC has none")


def _parser(target: Any) -> Any:
    """Return a parser that tells *target* what it finds."""
    try:
        from defusedxml.xmlrpc import DefusedExpatParser
    except ImportError:
        return _Parser(target)
    return DefusedExpatParser(target, forbid_dtd=True)


def load(data: bytes | str, use_datetime: bool = False) -> tuple[tuple[Any, ...], str | None]:
    """Return what is in a call, or in what it returned.

    :param data: the XML.
    :param use_datetime: whether dates and times are ``datetime`` objects, and not ``DateTime``.
    :returns: the values, and the name of the method; None if it is no call.
    :raises xmlrpc.client.Fault: if a fault was returned.
    :raises TooLong: if it is longer than :data:`MAX_LENGTH`.
    :raises Exception: whatever else the stdlib's reader raises for what is no XML, or no XML-RPC.
    """
    if len(data) > MAX_LENGTH:
        raise TooLong(f"longer than {MAX_LENGTH} bytes")
    target = xmlrpc.client.Unmarshaller(use_datetime=use_datetime)
    parser = _parser(target)
    parser.feed(data)
    parser.close()
    return target.close(), target.getmethodname()
