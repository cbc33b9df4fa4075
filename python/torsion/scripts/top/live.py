"""Showing the status again and again, until somebody has seen enough."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from torsion.scripts.top.source import NoAnswer
from torsion.scripts.top.view import Cell, Order, view

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.status.shape import Snapshot
    from torsion.scripts.top.source import Source
    from torsion.scripts.top.terminal import Terminal

__all__ = ["Live"]

_KEYS = "q leave   s sort   r turn round   p pause"


class Live:
    """The program, while it runs: a thread asks, this one draws and heeds keys, so that a server that hangs holds up no key."""

    def __init__(self, terminal: Terminal, source: Source, interval: float, first: Snapshot, *, rich: bool) -> None:
        """Show what *source* tells every *interval* seconds on *terminal*, beginning with *first*; by rich where it is installed."""
        self._terminal = terminal
        self._source = source
        self._interval = interval
        self._snapshot = first
        self._before: Snapshot | None = None
        self._trouble = ""
        self._order = Order()
        self._paused = False
        self._draw = _drawing(rich)
        self._wanted = threading.Event()
        self._came: tuple[Snapshot | None, str] | None = None

    def run(self) -> None:
        """Go on until a key or a signal says that it is enough."""
        threading.Thread(target=self._ask, name="torsion-top", daemon=True).start()
        size = self._terminal.size()
        due = time.monotonic() + self._interval
        asked = False
        while True:
            self._show()
            keys = self._terminal.wait(due - time.monotonic() if not (asked or self._paused) else 3600.0)
            if keys is None or not all(map(self._heed, keys)):
                return
            if self._terminal.size() != size:
                size = self._terminal.size()
                self._terminal.forget()
            came, self._came = self._came, None
            if came is not None:
                asked = False
                due = max(due + self._interval, time.monotonic())
                self._take(*came)
            if not asked and not self._paused and time.monotonic() >= due:
                asked = True
                self._wanted.set()

    def _heed(self, key: str) -> bool:
        """Do what a key means; say whether to go on."""
        if key in "qQ\x03":
            return False
        if key == "s":
            self._order = self._order.next()
        elif key == "r":
            self._order = self._order._replace(reverse=not self._order.reverse)
        elif key == "p":
            self._paused = not self._paused
        return True

    def _ask(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._came = self._source.get(), ""
            except NoAnswer as problem:
                self._came = None, str(problem)
            self._terminal.wake()

    def _take(self, snapshot: Snapshot | None, trouble: str) -> None:
        self._trouble = trouble
        if snapshot is None:
            return
        same = snapshot["process"]["pid"] == self._snapshot["process"]["pid"]
        if not same:
            self._before = None
        elif snapshot["time"] > self._snapshot["time"]:  # else it is the same one once more
            self._before = self._snapshot
        self._snapshot = snapshot

    def _show(self) -> None:
        width, height = self._terminal.size()
        foot = [[Cell(_KEYS + ("   PAUSED" if self._paused else ""), "soft")]]
        if self._trouble:
            foot.insert(0, [Cell(f"{self._trouble}; trying again", "bad")])
        screen = view(self._snapshot, self._before, self._order, width, height, foot)
        lines = self._draw(screen, width, colours=self._terminal.colours)
        # The foot stands on the last lines, however much is above it.
        last = lines[len(lines) - len(foot) :]
        body = lines[: len(lines) - len(foot)][: height - len(foot)]
        self._terminal.show([*body, *[""] * (height - len(foot) - len(body)), *last])


def _drawing(rich: bool) -> Callable[..., list[str]]:
    if rich:
        try:
            from torsion.scripts.top.fancy import draw
        except ImportError:
            pass
        else:
            return draw
    from torsion.scripts.top.plain import draw as plain

    return plain
