"""What all processes share, with pipes or with a terminal: how they end, and signals."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from torsion.internet import error
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.transports.owner import Home
    from torsion.internet.transports.process.spawn import Started

__all__ = ["ProcessBase"]

_log = Logger("torsion.internet.transports.process")


class ProcessBase:
    """A child process.

    :ivar pid: its number; None once it has ended and was waited for.
    :ivar status: what the system told of its end, as ``os.waitpid`` does; -1 until then.
    :ivar proto: the protocol that is told of all that happens to it.
    """

    pid: int | None = None
    status = -1
    lostProcess = False

    def __init__(self, reactor: Home, proto: Any) -> None:
        reactor.engine.wakeup_fileno()  # which refuses other threads; there would be no way back once the child runs
        self.reactor = reactor
        self.proto = proto

    def _await(self, started: Started) -> None:
        from torsion.internet.transports.process.reaper import Ending

        self.pid = started.pid
        self._ending = Ending(self.reactor, started, self)

    def reapProcess(self) -> None:
        """Look whether it has ended, and say so."""
        self._ending.reap()

    def processEnded(self, status: int) -> None:
        """It has ended: the protocol is told, and told once more when there is nothing left to read."""
        self.lostProcess = True
        self.status = status
        self.pid = None
        self._tell("processExited", self._reason())
        self.maybeCallProcessEnded()

    def maybeCallProcessEnded(self) -> None:
        """Tell the protocol of the end of all, if that has come."""
        if self.lostProcess and not self._has_pipes() and self.proto is not None:
            proto = self.proto
            self._tell("processEnded", self._reason())
            if self.proto is proto:
                self.proto = None

    def _has_pipes(self) -> bool:
        raise NotImplementedError

    def _reason(self) -> Failure:
        status = self.status
        if status == -1:  # somebody else has waited for it
            return Failure(error.ProcessTerminated(status=None))
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            return Failure(error.ProcessDone(status))
        if os.WIFSIGNALED(status):
            return Failure(error.ProcessTerminated(None, os.WTERMSIG(status), status))
        return Failure(error.ProcessTerminated(os.WEXITSTATUS(status), None, status))

    def _tell(self, hook: str, *args: object) -> None:
        """Call a hook of the protocol; what it raises is logged."""
        try:
            getattr(self.proto, hook)(*args)
        except BaseException:  # noqa: BLE001 - as everywhere in a reactor, nothing that escapes ends the loop
            _log.failure("Unhandled error in {hook} of {protocol!r}", hook=hook, protocol=self.proto)

    def signalProcess(self, signalID: str | int) -> None:
        """Send a signal.

        :param signalID: its number, or its name with or without ``SIG``.
        :raises torsion.internet.error.ProcessExitedAlready: if the process has ended.
        :raises ValueError: for a name that is no signal's.
        """
        if isinstance(signalID, str):
            name = signalID if signalID.startswith("SIG") else f"SIG{signalID}"
            number = getattr(signal.Signals, name, None)
            if number is None:
                raise ValueError(
                    f"{signalID!r} is no signal's name here; there are: {', '.join(signal.Signals.__members__)}"
                )
            signalID = int(number)
        if self.pid is None:
            raise error.ProcessExitedAlready
        try:
            os.kill(self.pid, signalID)
        except ProcessLookupError:
            raise error.ProcessExitedAlready from None

    def getHost(self) -> Any:
        """Raises :class:`NotImplementedError`: a process is at no address."""
        raise NotImplementedError("a process has no address; its number is its pid")

    def getPeer(self) -> Any:
        """Raises :class:`NotImplementedError`: a process is at no address."""
        raise NotImplementedError("a process has no address; its number is its pid")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} pid={self.pid} status={self.status}>"
