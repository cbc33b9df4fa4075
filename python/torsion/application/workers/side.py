"""The worker's side: a process that serves what its master hands it, does what that asks for, and ends when that does."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from torsion.application.workers.asking import Asking
from torsion.application.workers.channel import Channel
from torsion.application.workers.process import attach
from torsion.internet.defer import Deferred
from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.application.runner.run import Run
    from torsion.application.workers.membership import Membership

__all__ = ["REPLACING_PATIENCE", "Side"]

_log = Logger("torsion.application.workers")

REPLACING_PATIENCE = 120.0
"""Seconds to wait for a successor: as long as that may take to become ready, and to be killed when it does not."""


class Side:
    """Makes a run that of a worker."""

    def __init__(self, run: Run, membership: Membership) -> None:
        """Prepare it.

        :param run: what is to be a worker's.
        :param membership: which worker.
        """
        self._run = run
        self.membership = membership
        self._asking: Asking | None = None
        self._channel: Channel | None = None

    def fit(self) -> None:
        """Take the sockets from the master, and listen to it.

        :raises OSError: if the descriptors are not those of a worker.
        """
        run = self._run
        self._asking = asking = Asking(socket.socket(fileno=self.membership.broker))
        run.reactor.sockets = asking
        requests = {
            "ping": self._ping,
            "drain": self._drain,
            "retire": self._retire,
            "reload": self._reload,
            "status": self._status,
        }
        self._channel = Channel(run.reactor, "the master", requests, self._master_lost)
        with socket.socket(fileno=self.membership.channel) as sock:
            attach(run.reactor, sock, self._channel)
        run.onReady.append(self._ready)
        run.onStop.append(self._stopping)
        run.restarter = self._replace

    # --- what the master asks for ------------------------------------------------------------------------------------

    def _ping(self) -> bool:
        return True

    def _drain(self, seconds: float | None = None) -> bool:
        run = self._run
        if seconds is not None:
            run.grace = seconds if run.grace is None else min(run.grace, seconds)
        run.stop()
        return True

    def _retire(self) -> bool:
        assert self._asking is not None, "this is called by what fit has set"
        self._asking.ending = True
        self._run.retire()
        return True

    async def _reload(self) -> dict[str, Any]:
        return (await self._run.reload()).asDict()

    def _status(self) -> Any:
        from torsion.application.status import snapshot

        return snapshot(self._run)

    def _master_lost(self) -> None:
        """The master has ended, or wants to hear no more: nobody would replace this process, or stop it."""
        if self._run.state in ("starting", "ready"):
            _log.error("The master is gone: this worker stops")
            self._run.stop()

    # --- what is told to the master ----------------------------------------------------------------------------------

    def _ready(self) -> None:
        assert self._channel is not None, "this is called by what fit has set"
        self._channel.tell("ready", pid=os.getpid())

    def _stopping(self) -> None:
        assert self._asking is not None, "this is called by what fit has set"
        self._asking.ending = True  # ports that close from now on are taken by our successor
        if self._channel is not None:
            self._channel.tell("stopping")

    def _replace(self) -> Deferred[Any]:
        """Have another worker take the place of this one, which then drains."""
        assert self._channel is not None, "this is called by what fit has set"
        return self._channel.ask("replace", REPLACING_PATIENCE)
