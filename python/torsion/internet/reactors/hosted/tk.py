"""The reactor inside Tk's event loop, by ``tkinter``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.hosted.driver import Driver, milliseconds
from torsion.internet.reactors.hosted.reactor import HostedReactor

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable

__all__ = ["TkDriver", "TkReactor", "install"]


class TkDriver(Driver):
    """Drives a reactor by the event loop of a Tk application.

    :ivar root: its window.
    """

    hears_signals = False

    def __init__(self, root: tk.Misc | None = None) -> None:
        """Drive a reactor by the loop of *root*, any widget of the application; None makes a root window, not shown."""
        import tkinter as tk

        if root is None:
            root = tk.Tk()
            root.withdraw()
        self.root = root
        self._gone = tk.TclError
        self._readable = tk.READABLE
        self._watched = -1
        self._timer: str | None = None
        self._running = 0
        self._main = root.nametowidget(".")
        # Tk's loop goes on for as long as the process has any application's main window.
        self._main.bind("<Destroy>", self._destroyed, add=True)

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        watcher = getattr(self.root.tk, "createfilehandler", None)
        if watcher is None:
            raise TypeError("this system's Tk cannot watch descriptors: use the native reactor")
        watcher(descriptor, self._readable, lambda *_: callback())
        self._watched = descriptor

    def unwatch(self) -> None:
        self._unless_gone(self.root.tk.deletefilehandler, self._watched)

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self.clear_timer()
        self._timer = self._unless_gone(self.root.after, milliseconds(seconds), callback)

    def clear_timer(self) -> None:
        if self._timer is not None:
            timer, self._timer = self._timer, None
            self._unless_gone(self.root.after_cancel, timer)

    def running(self) -> bool:
        """Tell whether this runs the loop: Tk does not tell whether anybody else does."""
        return self._running > 0

    def run(self) -> None:
        self._running += 1
        try:
            self._unless_gone(self.root.mainloop)
        finally:
            self._running -= 1

    def stop(self) -> None:
        self._unless_gone(self.root.quit)

    def _destroyed(self, event: Any) -> None:
        if event.widget is self._main and self._running:  # else it is a widget within
            self._main.tk.quit()

    def _unless_gone(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call *function*; once the application was destroyed there is nothing left to be done."""
        try:
            return function(*args)
        except self._gone:
            return None


class TkReactor(HostedReactor):
    """A reactor inside Tk's event loop.  It stops when the application's main window is destroyed."""

    driver: TkDriver

    def __init__(self, root: tk.Misc | None = None) -> None:
        """Make a reactor.

        :param root: any widget of the application; None makes a root window, which is not shown.
        :raises ImportError: if this Python has no tkinter.
        :raises tkinter.TclError: if there is no display.
        """
        super().__init__(TkDriver(root))


def install(root: tk.Misc | None = None) -> TkReactor:
    """Make such a reactor the process's, ``torsion.internet.reactor``.

    :param root: as for :class:`TkReactor`.
    :returns: the reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import install_new

    return install_new(TkReactor, root)
