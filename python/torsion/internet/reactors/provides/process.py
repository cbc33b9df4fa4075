"""``IReactorProcess``: child processes whose pipes the engine reads and writes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorProcess
from torsion.internet.reactors.overengine import OverEngine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.internet.interfaces import IProcessProtocol, IProcessTransport

__all__ = ["ProvidesProcess"]

_EMPTY: Mapping[bytes | str, bytes | str] = MappingProxyType({})


class ProvidesProcess(OverEngine):
    """Child processes."""

    def spawnProcess(
        self,
        processProtocol: IProcessProtocol,
        executable: bytes | str,
        args: Sequence[bytes | str],
        env: Mapping[bytes | str, bytes | str] | None = _EMPTY,
        path: bytes | str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | tuple[int, int, str | bytes] = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> IProcessTransport:
        """Start a program.  Its pipes are read and written by the engine, so nothing blocks.

        Text is encoded as names of files are.  Signals have their default meaning in the child, whatever they have here.

        :param processProtocol: told of all that happens to it.
        :param executable: the program's path; a name without a slash is looked for in the ``PATH`` of *env*.
        :param args: its arguments, the first of which is by custom the program's name.
        :param env: its environment, which is empty unless it is given; None for a copy of ours.
        :param path: the folder in which it starts; None for ours.
        :param uid: the user to become first, which takes privileges; None for ours.
        :param gid: the group to become first, which takes privileges; None for ours.
        :param usePTY: connect it to a new pseudo-terminal instead of pipes: true, or a tuple of the master's descriptor,
            which becomes the reactor's, the slave's descriptor and the slave's name.
        :param childFDs: for each descriptor of the child: ``r`` for a pipe that we read, ``w`` for a pipe that we write, or
            the number of one of our descriptors to hand on; it gets no others.  None for ``{0: "w", 1: "r", 2: "r"}``.
        :returns: the process; its protocol's ``makeConnection`` was called, and what that raised is logged.
        :raises OSError: if the program or *path* is not there or may not be used (named in the error), or if descriptors or
            processes have run out.  Only where *uid* or *gid* is given it cannot be told so: the child then ends with status 1.
        :raises TypeError: for arguments that are neither text nor bytes.
        :raises ValueError: for a NUL in what is handed on, or *childFDs* together with *usePTY*.
        """
        if usePTY:
            if childFDs is not None:
                raise ValueError("a child on a terminal has no other descriptors: leave out childFDs or usePTY")
            from torsion.internet.transports.process.pty import PTYProcess

            return PTYProcess(self, executable, args, env, path, processProtocol, uid, gid, usePTY)
        from torsion.internet.transports.process.process import Process

        return Process(self, executable, args, env, path, processProtocol, uid, gid, childFDs)


classImplements(ProvidesProcess, IReactorProcess)
