"""The reactor inside GLib's event loop, which is that of GTK 4, by PyGObject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.hosted.driver import Driver, milliseconds
from torsion.internet.reactors.hosted.reactor import HostedReactor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GtkDriver", "GtkReactor", "install"]


class GtkDriver(Driver):
    """Drives a reactor by GLib's default main context.

    :ivar application: the ``Gio.Application`` that is run, if one is.
    """

    hears_signals = True  # PyGObject sees to it

    def __init__(self, application: Any = None) -> None:
        """Drive a reactor by *application*, a ``Gtk.Application`` or ``Gio.Application``, or by a plain main loop if None."""
        from gi.repository import GLib

        self.application = application
        self._glib: Any = GLib
        self._loop: Any = None
        self._watching = 0
        self._timing = 0

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        def ready(*_: object) -> bool:
            callback()
            return True  # and look out again

        glib = self._glib
        self._watching = glib.unix_fd_add_full(glib.PRIORITY_DEFAULT, descriptor, glib.IOCondition.IN, ready)
        # Else a main loop that is run within a turn would not see it.
        glib.MainContext.default().find_source_by_id(self._watching).set_can_recurse(True)

    def unwatch(self) -> None:
        if self._watching:
            self._glib.source_remove(self._watching)
            self._watching = 0

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        def timed_out() -> bool:
            self._timing = 0
            callback()
            return False  # and do not call again

        self.clear_timer()
        self._timing = self._glib.timeout_add(milliseconds(seconds), timed_out)

    def clear_timer(self) -> None:
        if self._timing:
            self._glib.source_remove(self._timing)
            self._timing = 0

    def running(self) -> bool:
        return bool(self._glib.main_depth())

    def run(self) -> None:
        if self.application is not None:
            self.application.hold()  # else it would end at once without a window
            try:
                self.application.run(None)
            finally:
                self.application.release()
            return
        loop = self._loop = self._glib.MainLoop()
        try:
            loop.run()
        finally:
            self._loop = None

    def stop(self) -> None:
        if self.application is not None:
            self.application.quit()
        elif self._loop is not None:
            self._loop.quit()


class GtkReactor(HostedReactor):
    """A reactor inside GLib's event loop.  It stops when the application that it runs quits."""

    driver: GtkDriver

    def __init__(self, application: Any = None) -> None:
        """Make a reactor.

        :param application: the ``Gtk.Application`` or ``Gio.Application`` that :meth:`run` runs; None runs a main loop alone.
        :raises ImportError: if PyGObject is not installed.
        """
        super().__init__(GtkDriver(application))


def install(application: Any = None) -> GtkReactor:
    """Make such a reactor the process's, ``torsion.internet.reactor``.

    :param application: as for :class:`GtkReactor`.
    :returns: the reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import install_new

    return install_new(GtkReactor, application)
