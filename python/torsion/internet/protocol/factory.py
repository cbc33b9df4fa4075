"""Factories: what listens at a port and makes a protocol for each connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, cast

from zope.interface import implementer

from torsion.internet.interfaces.core import IAddress, ILoggingContext
from torsion.internet.interfaces.protocol import IProtocolFactory
from torsion.logger import Logger

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import TypeVar  # the type checker's own copy: nothing to install

    _P = TypeVar("_P", default=Any)
else:
    from typing import TypeVar

    _P = TypeVar("_P")


@implementer(IProtocolFactory, ILoggingContext)
class Factory(Generic[_P]):
    """Makes a protocol for each connection, and outlives them: the place for what connections share.

    Either set :attr:`protocol`, or make one with :meth:`forProtocol`, or override :meth:`buildProtocol`.
    """

    protocol: Callable[[], _P] | None = None
    """What :meth:`buildProtocol` calls to make a protocol: as a rule its class."""

    numPorts: int = 0
    """How many ports and connectors use this factory now."""

    noisy: bool = True
    """Whether to log the start and the stop of this factory."""

    _lifeLog = Logger()

    @classmethod
    def forProtocol(cls, protocol: Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """Make a factory for one class of protocols.

        :param protocol: what to call, without arguments, for each connection: as a rule the class.
        :param args: handed to the factory's constructor, as are *kwargs*.
        """
        factory = cls(*args, **kwargs)
        factory.protocol = protocol
        return factory

    def logPrefix(self) -> str:
        """Return the class's name."""
        return self.__class__.__name__

    def doStart(self) -> None:
        """Be told that one more port or connector uses this factory; the first one calls :meth:`startFactory`.

        Not for overriding.
        """
        if self.numPorts == 0:
            if self.noisy:
                self._lifeLog.info("Starting factory {factory!r}", factory=self)
            self.startFactory()
        self.numPorts += 1

    def doStop(self) -> None:
        """Be told that one port or connector no longer uses this factory; the last one calls :meth:`stopFactory`.

        Not for overriding. Does nothing if none uses it.
        """
        if self.numPorts == 0:
            return
        self.numPorts -= 1
        if self.numPorts == 0:
            if self.noisy:
                self._lifeLog.info("Stopping factory {factory!r}", factory=self)
            self.stopFactory()

    def startFactory(self) -> None:
        """Be told that the factory begins to be used: the place to open what its protocols need. Does nothing here.

        Called each time the number of ports and connectors rises from zero.
        """

    def stopFactory(self) -> None:
        """Be told that the factory is not used any more: the place to close what it opened. Does nothing here.

        Connections that were accepted may live on. Called each time the number of ports and connectors falls to zero.
        """

    def buildProtocol(self, addr: IAddress | None) -> _P | None:
        """Make a protocol for a new connection: calls :attr:`protocol`, and sets the result's ``factory``.

        :param addr: where the peer is.
        :returns: the protocol; an override may return None to have the connection closed at once.
        :raises RuntimeError: if :attr:`protocol` is not set.
        """
        make = self.protocol
        if make is None:
            raise RuntimeError(f"{self!r} cannot build a protocol: set its 'protocol', or override buildProtocol")
        protocol = make()
        cast("Any", protocol).factory = self
        return protocol


class ServerFactory(Factory[_P]):
    """A factory for ports. It adds nothing: the name tells readers which side they are on."""
