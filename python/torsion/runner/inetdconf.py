"""The files that inetd reads: ``/etc/inetd.conf``, which says what is to be served, and ``/etc/services``, which knows ports by name.

A line of the former has these fields (:manpage:`inetd.conf(5)`)::

    service  type    protocol  wait|nowait[.max]  user[.group]  program  arguments
    ftp      stream  tcp       nowait             root          /usr/sbin/ftpd  ftpd -l
    echo     stream  tcp       nowait             root          internal

The service is a name or a port's number, with an address and a colon in front if it is not for all. A number may be followed by
the name of the internal service, as its argument.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "InetdConf",
    "InetdService",
    "InvalidConfError",
    "InvalidInetdConfError",
    "InvalidServicesConfError",
    "ServicesConf",
    "SimpleConfFile",
    "UnknownService",
]

_PORTS = 65535


class InvalidConfError(Exception):
    """A line of a file cannot be used."""


class InvalidInetdConfError(InvalidConfError):
    """A line of ``inetd.conf`` cannot be used."""


class InvalidServicesConfError(InvalidConfError):
    """A line of ``services`` cannot be used."""


class UnknownService(Exception):
    """A service has a name that nobody knows the port of."""


def _number(digits: str) -> int:
    """Return the number of *digits*, or some number that is too large, too, if there are very many."""
    return int(digits.lstrip("0")[:9] or "0")


class SimpleConfFile:
    """A file of lines, each of which has fields with blanks between them; what follows a ``#`` is a comment.

    Override :meth:`parseFields`, or :meth:`parseLine`.
    """

    commentChar: ClassVar[str] = "#"
    """Begins a comment."""

    defaultFilename: str | None = None
    """Which file to read where none is given."""

    def parseFile(self, file: TextIO | None = None) -> None:
        """Read a file.

        :param file: an open one, which stays open; None for the one called :attr:`defaultFilename`.
        :raise OSError: if it cannot be read.
        :raise InvalidConfError, UnknownService: if a line cannot be used; its number is told.
        :raise ValueError: if there is no file to be read.
        """
        if file is not None:
            self._lines(file)
            return
        if self.defaultFilename is None:
            raise ValueError(f"{type(self).__name__} has no default file; give one")
        with Path(self.defaultFilename).open(encoding="utf-8", errors="surrogateescape") as opened:
            self._lines(opened)

    def _lines(self, lines: Iterable[str]) -> None:
        for number, line in enumerate(lines, 1):
            text = line.partition(self.commentChar)[0].strip()
            if not text:
                continue
            try:
                self.parseLine(text)
            except (InvalidConfError, UnknownService) as problem:
                raise type(problem)(f"line {number}: {problem}") from None

    def parseLine(self, line: str) -> None:
        """Take a line, without its comment; by default :meth:`parseFields` is given its fields."""
        self.parseFields(*line.split())

    def parseFields(self, *fields: str) -> None:
        """Take the fields of a line.  Does nothing; override it."""


class InetdService:
    """A service that inetd is to offer.

    :ivar name: what it is called in ``services``; ``"unknown"`` for a number that is not there.
    :ivar port: the port's number.
    :ivar socketType: ``"stream"`` or ``"dgram"``.
    :ivar protocol: ``"tcp"`` or ``"udp"``, perhaps with ``4`` or ``6`` behind it.
    :ivar wait: ``"wait"`` or ``"nowait"``, perhaps with a dot and a number behind it.
    :ivar user: the name of the user that the program is to be run as.
    :ivar group: the name of the group, or None for the user's own.
    :ivar program: the program's path, or ``"internal"``.
    :ivar programArgs: its arguments, the first of which is its name.
    :ivar interface: the address to listen at; empty for all.
    """

    interface: str = ""

    def __init__(
        self,
        name: str,
        port: int,
        socketType: str,
        protocol: str,
        wait: str,
        user: str,
        group: str | None,
        program: str,
        programArgs: tuple[str, ...],
    ) -> None:
        """Note what a line says."""
        self.name = name
        self.port = port
        self.socketType = socketType
        self.protocol = protocol
        self.wait = wait
        self.user = user
        self.group = group
        self.program = program
        self.programArgs = programArgs

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, InetdService) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        where = f"{self.interface}:{self.port}" if self.interface else self.port
        return f"<{type(self).__name__} {self.name} {where}/{self.protocol} {self.program}>"


class InetdConf(SimpleConfFile):
    """Reads ``inetd.conf``.

    :ivar services: an :class:`InetdService` for each line.
    """

    defaultFilename = "/etc/inetd.conf"

    def __init__(self, knownServices: ServicesConf | None = None) -> None:
        """Have read nothing yet.

        :param knownServices: knows the ports' names; None to have it read from its own file now.
        """
        self.services: list[InetdService] = []
        if knownServices is None:
            knownServices = ServicesConf()
            knownServices.parseFile()
        self.knownServices = knownServices

    def parseLine(self, line: str) -> None:
        """Take a line.

        :raise InvalidInetdConfError: if it has too few fields, or one that cannot be used.
        """
        fields = line.split()
        if len(fields) < 6:
            raise InvalidInetdConfError(
                f"{len(fields)} fields instead of at least 6 (service, type, protocol, wait, user, program): {line!r}"
            )
        self.parseFields(*fields)

    def parseFields(  # type: ignore[override]  # of this file's lines
        self, serviceName: str, socketType: str, protocol: str, wait: str, user: str, program: str, *programArgs: str
    ) -> None:
        """Take the fields of a line.

        :raise UnknownService: if the service's name is not known.
        :raise InvalidInetdConfError: if its number is none of a port.
        """
        interface, _, name = serviceName.rpartition(":")
        name, port = self._port(name, protocol)
        user, _, group = user.partition("." if ":" not in user else ":")
        service = InetdService(name, port, socketType, protocol, wait, user, group or None, program, programArgs)
        if interface not in {"", "*"}:
            service.interface = interface.removeprefix("[").removesuffix("]")
        self.services.append(service)

    def _port(self, name: str, protocol: str) -> tuple[str, int]:
        plain = protocol.rstrip("46")
        known = self.knownServices.services
        if name.isdecimal() and name.isascii():
            if (number := _number(name)) > _PORTS:
                raise InvalidInetdConfError(f"a port has a number up to {_PORTS}, not {name}")
            names = (each for (each, kind), port in known.items() if port == number and kind == plain)
            return next(names, "unknown"), number
        port = known.get((name, plain))
        if port is None:
            raise UnknownService(f"Unknown service: {name} ({protocol})")
        return name, port


class ServicesConf(SimpleConfFile):
    """Reads ``services``.

    :ivar services: the number of the port for each pair of a name, also an alias, and a protocol.
    """

    defaultFilename = "/etc/services"

    def __init__(self) -> None:
        """Have read nothing yet."""
        self.services: dict[tuple[str, str], int] = {}

    def parseLine(self, line: str) -> None:
        """Take a line.

        :raise InvalidServicesConfError: if it has one field only, or a second one that is no port and protocol.
        """
        fields = line.split()
        if len(fields) < 2:
            raise InvalidServicesConfError(f"{line!r} stands alone, without a port and protocol such as 80/tcp")
        self.parseFields(*fields)

    def parseFields(self, name: str, portAndProtocol: str, *aliases: str) -> None:  # type: ignore[override]  # of this file's lines
        """Take the fields of a line: a name, a port with its protocol, aliases.

        :raise InvalidServicesConfError: if the second one is no port and protocol.
        """
        port, _, protocol = portAndProtocol.partition("/")
        if not (protocol and port.isdecimal() and port.isascii() and _number(port) <= _PORTS):
            raise InvalidServicesConfError(f"Invalid port/protocol: {portAndProtocol!r}")
        for each in (name, *aliases):
            self.services[each, protocol] = _number(port)
