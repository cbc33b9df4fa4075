"""The reactor inside the event loop of Qt 6, by PySide6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet.reactors.hosted.driver import Driver, milliseconds
from torsion.internet.reactors.hosted.reactor import HostedReactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QCoreApplication, QSocketNotifier

__all__ = ["QtDriver", "QtReactor", "install"]


class QtDriver(Driver):
    """Drives a reactor by the event loop of a Qt application.

    :ivar application: that application.
    """

    hears_signals = False

    def __init__(self, application: QCoreApplication | None = None) -> None:
        """Drive a reactor by the loop of *application*: the one that there is if None, or else a new one without windows."""
        from PySide6.QtCore import QCoreApplication, Qt, QTimer

        self.application = application or QCoreApplication.instance() or QCoreApplication([])
        self._notifier: QSocketNotifier | None = None
        self._callback: Callable[[], None] | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)  # the others are late by up to a twentieth
        self._timer.timeout.connect(self._timed_out)

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        from PySide6.QtCore import QSocketNotifier

        self._notifier = QSocketNotifier(descriptor, QSocketNotifier.Type.Read)
        self._notifier.activated.connect(lambda *_: callback())

    def unwatch(self) -> None:
        if self._notifier is not None:
            notifier, self._notifier = self._notifier, None
            notifier.setEnabled(False)
            notifier.deleteLater()

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._timer.start(milliseconds(seconds))

    def clear_timer(self) -> None:
        self._timer.stop()
        self._callback = None

    def _timed_out(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def running(self) -> bool:
        from PySide6.QtCore import QThread

        return bool(QThread.currentThread().loopLevel() > 0)

    def run(self) -> None:
        self.application.exec()

    def stop(self) -> None:
        self.application.quit()


class QtReactor(HostedReactor):
    """A reactor inside Qt's event loop.  It stops when the application quits, as it does with its last window."""

    driver: QtDriver

    def __init__(self, application: QCoreApplication | None = None) -> None:
        """Make a reactor.

        :param application: the one that there is if None, or else a new one without windows: a program that has windows makes its
            ``QApplication`` first.
        :raises ImportError: if PySide6 is not installed.
        """
        super().__init__(QtDriver(application))


def install(application: QCoreApplication | None = None) -> QtReactor:
    """Make such a reactor the process's, ``torsion.internet.reactor``.

    :param application: as for :class:`QtReactor`.
    :returns: the reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import install_new

    return install_new(QtReactor, application)
