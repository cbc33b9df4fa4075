"""Sockets that were opened by systemd, or by whoever else speaks its protocol (``sd_listen_fds(3)``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, MutableMapping, Sequence
from typing import ClassVar

__all__ = ["ListenFDs"]


class ListenFDs:
    """The descriptors that this process inherited to listen at, with their names.

    Usually made by :meth:`fromEnvironment`.
    """

    _START: ClassVar[int] = 3  # the first one after standard input, output and error; systemd's own number

    __slots__ = ("_descriptors", "_names")

    def __init__(self, descriptors: Iterable[int], names: Sequence[str] = ()) -> None:
        """Remember descriptors.

        :param descriptors: the descriptors.
        :param names: a name for each of them, in the same order; there may be fewer.
        """
        self._descriptors = list(descriptors)
        self._names = tuple(names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ListenFDs):
            return NotImplemented
        return (self._descriptors, self._names) == (other._descriptors, other._names)

    __hash__ = None  # type: ignore[assignment]  # what it lists is compared, and a list has no hash

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._descriptors!r}, {self._names!r})"

    @classmethod
    def fromEnvironment(cls, environ: MutableMapping[str, str] | None = None, start: int | None = None) -> ListenFDs:
        """Find out what was inherited, from ``LISTEN_PID``, ``LISTEN_FDS`` and ``LISTEN_FDNAMES``.

        The variables are removed, so that nobody, a child process included, takes the same descriptors again.

        :param environ: where to look; this process' environment by default.
        :param start: the number of the first descriptor, if it is not systemd's.
        :returns: the descriptors; none if there are no such variables, they mean nothing, or they are for another
            process.
        """
        environment = os.environ if environ is None else environ
        first = cls._START if start is None else start
        process, count, named = (environment.pop(f"LISTEN_{what}", None) for what in ("PID", "FDS", "FDNAMES"))
        try:
            descriptors = range(first, first + int(count or 0)) if int(process or -1) == os.getpid() else range(0)
        except ValueError:
            descriptors = range(0)
        names = tuple(named.split(":")) if named is not None and descriptors else ()
        return cls(descriptors, names)

    def inheritedDescriptors(self) -> list[int]:
        """Return the descriptors."""
        return list(self._descriptors)

    def inheritedNamedDescriptors(self) -> dict[str, int]:
        """Return the descriptors by their names; of several with one name, the last."""
        return dict(zip(self._names, self._descriptors, strict=False))
