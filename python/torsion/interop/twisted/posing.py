"""Native transports pass for Twisted's own where a program asks with ``isinstance``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

__all__ = ["Posing"]

# Where the interpreter keeps what an object really is.
_REALLY: Any = object.__dict__["__class__"]


class Posing:
    """Makes ``isinstance(transport, tcp.Client)`` true, and the like.

    Programs look for Twisted's classes among a reactor's readers, say to wait until no connection is left. Nothing of these classes is
    inherited; ``type(transport)`` is the native one.
    """

    __slots__ = ()
    #: Twisted's class.
    poses_as: ClassVar[type]

    if not TYPE_CHECKING:  # which has its own idea of what an object's class may be

        @property
        def __class__(self) -> type:
            return self.poses_as

        @__class__.setter
        def __class__(self, cls: type) -> None:  # when security begins or ends, a native transport changes its own
            _REALLY.__set__(self, cls)
