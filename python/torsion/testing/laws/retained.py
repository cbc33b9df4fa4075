"""How many bytes an object keeps."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from io import BytesIO
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["retained_bytes"]

_NOT_ITS_OWN = (type, ModuleType, FunctionType)


def retained_bytes(thing: object, besides: Iterable[object] = ()) -> int:
    """Return how many bytes of data can be reached from *thing*: in bytes, bytearrays, strings and files in memory, however deep
    in lists, dictionaries and other objects, each counted once.

    Classes, modules and functions do not count, nor what can only be reached through them.  What an extension module keeps for
    itself is not seen, unless the object says how much by a number ``buffered``.

    :param besides: objects that do not count either: a protocol's factory and its transport.
    """
    seen = {id(each) for each in besides}
    todo: list[Any] = [thing]
    total = 0
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, _NOT_ITS_OWN):
            continue
        seen.add(id(each))
        if isinstance(each, bytes | bytearray | str):
            total += len(each)
        elif isinstance(each, memoryview):
            total += each.nbytes
        elif isinstance(each, BytesIO):
            total += each.getbuffer().nbytes
        else:
            buffered = getattr(each, "buffered", None)
            if isinstance(buffered, int) and not gc.get_referents(each):
                total += buffered
            todo += gc.get_referents(each)
    return total
