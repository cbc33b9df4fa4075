"""What one process tells the next, which is to take its place: the environment variable, and the descriptors that it names."""

from __future__ import annotations

import json
import os
import socket
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.application.runner.errors import StartError
from torsion.application.runner.sockets import Inherited
from torsion.internet.interfaces.handover import ListeningAddress

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from torsion.application.runner.sockets import Opened

__all__ = ["LONGEST_TABLE", "VARIABLE", "Inheritance", "read", "write"]

VARIABLE = "TORSION_HANDOVER"
"""The environment variable that says what was handed over."""

LONGEST_TABLE = 120_000
"""How long that variable may be, in bytes: Linux takes 131072 for one, with its name (``MAX_ARG_STRLEN``, execve(2)).  It is
enough for more than a thousand sockets."""

VERSION = 1
"""Which form the table has.  Another one cannot be restarted from or to."""

FIRST = 3
"""The first descriptor after the standard ones; where systemd's begin as well (``sd_listen_fds(3)``)."""


class Inheritance(NamedTuple):
    """What a process has got from the one whose place it is to take.

    :ivar process: that one's number.
    :ivar channel: the descriptor of a Unix socket to that process.
    :ivar errors: a descriptor of what standard error is to be, once this process is ready.
    :ivar sockets: the listening sockets.
    :ivar belongings: further descriptors, by their names.
    """

    process: int
    channel: int
    errors: int
    sockets: list[Inherited]
    belongings: dict[str, int]


def write(
    process: int,
    channel: int,
    errors: int,
    ports: Sequence[Opened],
    activated: Sequence[int],
    names: str | None,
    belongings: Mapping[str, int],
) -> tuple[dict[str, str], dict[int, int]]:
    """Return the variables and the descriptors to start the next process with.

    :param process: our number.
    :param channel: the descriptor of its end of the channel.
    :param errors: the descriptor that its standard error is to be later.
    :param ports: what listens.
    :param activated: descriptors of systemd's sockets, in their order.
    :param names: ``LISTEN_FDNAMES``, if there is one.
    :param belongings: further descriptors, by their names.
    :returns: the variables; and which of our descriptors each of the child's is.
    :raises ValueError: if there are too many sockets to tell of.
    """
    descriptors = dict(enumerate([*activated, channel, errors], FIRST))
    behind = FIRST + len(descriptors)
    descriptors.update(enumerate([*(each.port.fileno() for each in ports), *belongings.values()], behind))
    table = json.dumps(
        {
            "version": VERSION,
            "process": process,
            "activated": len(activated),
            "sockets": [list(each.address) for each in ports],
            "belongings": list(belongings),
        },
        separators=(",", ":"),
    )
    if len(table) > LONGEST_TABLE:
        raise ValueError(f"{len(ports)} listening sockets are too many to hand over; stop and start instead")
    variables = {VARIABLE: table}
    if activated:
        variables["LISTEN_FDS"] = str(len(activated))
        if names is not None:
            variables["LISTEN_FDNAMES"] = names
    return variables, descriptors


def read(environ: MutableMapping[str, str]) -> Inheritance | None:
    """Take what was handed over out of the environment; None if nothing was.

    The descriptors are kept from programs that are started later.  ``LISTEN_PID`` is set for those of systemd.

    :raises StartError: if it makes no sense.
    """
    text = environ.pop(VARIABLE, None)
    if text is None:
        return None
    try:
        table: Any = json.loads(text)
        if table["version"] != VERSION:
            raise StartError(
                f"the process that runs hands over in form {table['version']}, and this version of torsion knows form {VERSION}: "
                "stop it and start anew"
            )
        process, activated = int(table["process"]), int(table["activated"])
        addresses = [ListeningAddress(str(kind), str(name), int(port)) for kind, name, port in table["sockets"]]
        belongings = [str(name) for name in table["belongings"]]
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise StartError(f"the variable {VARIABLE} is for torsion's own use, and makes no sense: unset it") from problem
    if activated:
        environ["LISTEN_PID"] = str(os.getpid())
    channel, errors = FIRST + activated, FIRST + activated + 1
    behind = errors + 1
    theirs = dict(
        zip(belongings, range(behind + len(addresses), behind + len(addresses) + len(belongings)), strict=True)
    )
    found: list[Inherited] = []
    try:
        for descriptor in (errors, *theirs.values()):
            os.set_inheritable(descriptor, False)
        for descriptor in (channel, *range(behind, behind + len(addresses))):
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                raise OSError(f"descriptor {descriptor} is no socket")
            os.set_inheritable(descriptor, False)
        for number, address in enumerate(addresses):
            found.append(Inherited(number, address, socket.socket(fileno=behind + number)))
    except OSError as problem:
        raise StartError(
            f"the variable {VARIABLE} names descriptors that were not handed over ({problem}): unset it"
        ) from problem
    return Inheritance(process, channel, errors, found, theirs)
