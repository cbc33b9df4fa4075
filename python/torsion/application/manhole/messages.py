"""What goes over a connection between an operator's client and a prompt: a JSON object on each line.

From the client:

``{"do": "run", "id": 1, "source": "x = 1", "final": false}``
    Run a block. Answered by ``more`` or, once it has run, ``done``. Until then only the next two may be sent.
``{"do": "interrupt", "id": 1}``
    Interrupt that block. Not answered; nothing happens if it does not run any more.
``{"do": "complete", "id": 2, "text": "reactor.call"}``
    What may this name become? Answered by ``names``.

From the prompt:

``{"is": "welcome", "version": 1, "text": "..."}``
    First of all.
``{"is": "output", "kind": "out", "text": "..."}``
    Show this. The kinds are those of ``Interpreter``.
``{"is": "more", "id": 1}``
    The block is not complete: send it again, with more lines.
``{"is": "done", "id": 1, "ok": true, "leave": false}``
    It has run: to its end or not; the prompt may have been left by it.
``{"is": "names", "id": 2, "names": ["reactor.callLater"]}``
    The names.
``{"is": "refused", "why": "..."}``
    What was sent cannot be understood or served; the connection is closed.

Numbers are the client's. A line has :data:`LONGEST` bytes at most, its end not counted; other members are ignored.
"""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["INTERRUPT", "LONGEST", "VERSION", "MessageError", "checked", "decode", "encode", "interrupts"]

VERSION: Final = 1
"""Which version of the protocol this is."""

LONGEST: Final = 1 << 20
"""How long a line may be, in bytes: more than anybody types, and little enough to be kept for each operator."""

INTERRUPT: Final = b'"do": "interrupt"'
"""What is in the line of every request to interrupt, and in no other: in a text, a quotation mark has a backslash before it."""

_MEMBERS: Final[dict[str, dict[str, type]]] = {
    "run": {"id": int, "source": str},
    "interrupt": {"id": int},
    "complete": {"id": int, "text": str},
}


class MessageError(ValueError):
    """A line is no message."""


def encode(message: dict[str, Any]) -> bytes:
    """Return *message* as a line, in ASCII, with its end."""
    return json.dumps(message).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return the message on a line.

    :param line: without its end.
    :raises MessageError: if it is none.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as problem:  # the latter for brackets without end
        raise MessageError(f"no JSON: {problem}") from None
    if not isinstance(message, dict):
        raise MessageError("a message is a JSON object")
    return message


def checked(message: dict[str, Any]) -> dict[str, Any]:
    """Return *message*, from a client, if it has what it needs.

    :raises MessageError: if it has not.
    """
    do = message.get("do")
    members = _MEMBERS.get(do) if isinstance(do, str) else None
    if members is None:
        raise MessageError(f"there is no request {do!r}; there are {', '.join(_MEMBERS)}")
    for name, kind in members.items():
        if type(message.get(name)) is not kind:
            raise MessageError(f"the request {do!r} needs {name!r}, of type {kind.__name__}")
    if type(message.get("final", False)) is not bool:
        raise MessageError("'final' is true or false")
    return message


def interrupts(data: bytes) -> int:
    """Return how many requests to interrupt are in *data*, a piece of what a client sends."""
    return data.count(INTERRUPT)
