"""Addresses: where connections come from and go to.

They are plain values, equal if they are of one class and their parts are equal, and good as keys. One is built for
each connection, so they hold their parts in slots and check no more than they must; treat them as read-only.
"""

from __future__ import annotations

import os
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from zope.interface import implementer

from torsion.internet.interfaces.core import IAddress

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    _Transport: TypeAlias = Literal["TCP", "UDP"]

__all__ = ["HostnameAddress", "IPv4Address", "IPv6Address", "UNIXAddress"]


class _Value:
    """Equality, order, hash, representation and pickling by parts."""

    __slots__ = ()
    _parts: ClassVar[tuple[str, ...]]
    _key: ClassVar[attrgetter[tuple[Any, ...]]]

    def __init_subclass__(cls) -> None:
        cls._key = attrgetter(*cls._parts)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._key(self) == self._key(other)

    def __hash__(self) -> int:
        return hash((self.__class__, self._key(self)))

    def __lt__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._key(self) < self._key(other)

    def __le__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._key(self) <= self._key(other)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={value!r}" for name, value in zip(self._parts, self._key(self), strict=True))
        return f"{self.__class__.__name__}({parts})"

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__class__, self._key(self)


def _refuse(type: object) -> ValueError:
    return ValueError(f"an address's type is 'TCP' or 'UDP', not {type!r}")


@implementer(IAddress)
class IPv4Address(_Value):
    """One end of a TCP connection over IPv4, or a UDP socket.

    :param type: ``TCP`` or ``UDP``.
    :param host: the numeric address; connectors also put the name in it that they were asked for.
    :param port: the port's number.
    :raises ValueError: for another type.
    """

    __slots__ = ("host", "port", "type")
    _parts = ("type", "host", "port")

    def __init__(self, type: _Transport, host: str, port: int) -> None:
        if type != "TCP" and type != "UDP":
            raise _refuse(type)
        self.type = type
        self.host = host
        self.port = port

    # The same as in the base, without its detour: these are the keys of tables of clients.

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        assert isinstance(other, IPv4Address)
        return self.port == other.port and self.host == other.host and self.type == other.type

    def __hash__(self) -> int:
        return hash((self.type, self.host, self.port))


@implementer(IAddress)
class IPv6Address(_Value):
    """One end of a TCP connection over IPv6, or a UDP socket.

    :param type: ``TCP`` or ``UDP``.
    :param host: the numeric address, without a scope.
    :param port: the port's number.
    :param flowInfo: the flow information of the socket address.
    :param scopeID: the scope: for a link-local address the index of its interface, or the interface's name.
    :raises ValueError: for another type.
    """

    __slots__ = ("flowInfo", "host", "port", "scopeID", "type")
    _parts = ("type", "host", "port", "flowInfo", "scopeID")

    def __init__(self, type: _Transport, host: str, port: int, flowInfo: int = 0, scopeID: int | str = 0) -> None:
        if type != "TCP" and type != "UDP":
            raise _refuse(type)
        self.type = type
        self.host = host
        self.port = port
        self.flowInfo = flowInfo
        self.scopeID = scopeID


@implementer(IAddress)
class HostnameAddress(_Value):
    """A host that is known by its name, and a port.

    :param hostname: the name, encoded.
    :param port: the port's number.
    """

    __slots__ = ("hostname", "port")
    _parts = ("hostname", "port")

    def __init__(self, hostname: bytes, port: int) -> None:
        self.hostname = hostname
        self.port = port


@implementer(IAddress)
class UNIXAddress:
    """A Unix socket. Two of them are equal if they lead to the same file, by whichever path.

    :param name: the socket's path; None for a socket without one. A path that begins with NUL is Linux's abstract
        kind.
    :raises TypeError: if *name* is no path.
    """

    __slots__ = ("name",)

    def __init__(self, name: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None) -> None:
        self.name = None if name is None else os.fsencode(name)

    def _file(self) -> tuple[int, int] | None:
        """Tell which file the path leads to; None if there is none, or no path."""
        if not self.name or self.name.startswith(b"\0"):
            return None
        try:
            status = os.stat(self.name)  # noqa: PTH116 - pathlib takes no bytes
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        assert isinstance(other, UNIXAddress)
        if self.name == other.name:
            return True
        file = self._file()
        return file is not None and file == other._file()

    def __hash__(self) -> int:
        return hash((self.__class__, self._file() or self.name))

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({None if self.name is None else os.fsdecode(self.name)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__class__, (self.name,)
