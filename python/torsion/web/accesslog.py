"""The access log of ``torsion web``: a file that a reload of the command opens anew."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.application.reloading import IReloads
from torsion.application.service import Service
from torsion.web.http.accesslog import AccessLog

__all__ = ["AccessLogService"]


@implementer(IReloads)
class AccessLogService(Service):
    """Gives a site an access log.

    :ivar path: the file, to which lines are appended.
    :ivar log: what writes it; None while it does not run.
    """

    def __init__(self, site: Any, path: str) -> None:
        """Log the requests of *site* to the file *path*, from :meth:`startService` on."""
        self._site = site
        self.path = path
        self.log: AccessLog | None = None
        self._former: list[AccessLog] = []
        self.setName("access log")

    def privilegedStartService(self) -> None:
        """Open the file, before the process becomes another user.

        :raises OSError: if it cannot be opened.
        """
        self.log = AccessLog(self.path)

    def startService(self) -> None:
        """Begin to log.

        :raises OSError: if the file cannot be opened.
        """
        super().startService()
        if self.log is None:
            self.log = AccessLog(self.path)
        self._site.logFile = self.log

    def reload(self) -> None:
        """Open the file anew: another program has put it aside.

        :raises OSError: if it cannot be opened; then the old one is written to.
        """
        before, self.log = self.log, AccessLog(self.path)
        self._site.logFile = self.log
        if before is not None:
            self._former.append(before)
        self._former = [each for each in self._former if not each.close(0)]  # nobody waits for a slow disk

    def stopService(self) -> None:
        """Write what is left."""
        super().stopService()
        log, self.log = self.log, None
        former, self._former = self._former, []
        for each in former if log is None else [*former, log]:
            each.close()
