"""A reactor over torsion's own engine that has time and threads, and no transports yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion._native import Engine, Timer
from torsion.internet.interfaces import IDelayedCall
from torsion.internet.reactors.base import ReactorBase
from torsion.internet.reactors.fork import watch
from torsion.internet.reactors.secure import WaysOfTLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.transports.tls import TLS

__all__ = ["OverEngine"]


class OverEngine(ReactorBase):
    """The base of the mixins in ``provides``, each of which adds a group of transports.

    :ivar engine: what it runs on.
    :ivar tls: how its connections are secured.
    """

    engine: Engine
    tls: TLS = WaysOfTLS(natively=True)

    def __init__(self, engine: Callable[[ReactorBase], Any] = Engine) -> None:
        """Make a reactor.

        :param engine: called with the reactor to make what it runs on.
        """
        super().__init__(engine)
        if isinstance(self.engine, Engine):
            watch(self)

    def _given_up(self) -> None:
        """Be told that this process was forked off the reactor's."""


classImplements(Timer, IDelayedCall)
