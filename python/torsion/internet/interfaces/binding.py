"""The local end of a socket, described before the socket exists."""

from __future__ import annotations

from typing import Final


class Binding:
    """How to bind a socket: its address, its port and the options that must be set before it is bound.

    :param interface: the numeric address; empty for all addresses.
    :param port: the port's number; 0 lets the system choose.
    :param reuseAddress: set ``SO_REUSEADDR``.
    :param reusePort: set ``SO_REUSEPORT``, so that several sockets can share the port.
    """

    __slots__ = ("interface", "port", "reuseAddress", "reusePort")

    def __init__(self, interface: str = "", port: int = 0, reuseAddress: bool = False, reusePort: bool = False) -> None:
        self.interface: Final = interface
        self.port: Final = port
        self.reuseAddress: Final = reuseAddress
        self.reusePort: Final = reusePort

    def _key(self) -> tuple[str, int, bool, bool]:
        return self.interface, self.port, self.reuseAddress, self.reusePort

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Binding) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return (
            f"Binding(interface={self.interface!r}, port={self.port!r}, "
            f"reuseAddress={self.reuseAddress!r}, reusePort={self.reusePort!r})"
        )
