"""Descriptors that Twisted's own transports, and others, read and write themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.transports.descriptors import Descriptors as _Descriptors
from torsion.interop.twisted.dialect import TWISTED
from torsion.interop.twisted.logcontext import call_noted

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["Descriptors"]


class Descriptors(_Descriptors):
    """The readers and writers of a reactor, as Twisted's ``IReactorFDSet`` has it."""

    dialect = TWISTED

    def serve(self, selectable: Any, method: str) -> None:
        """Let it read or write; what it logs meanwhile bears its prefix."""
        call_noted(selectable, super().serve, selectable, method)

    def remove_all_but(self, kept: Container[Any]) -> list[Any]:
        """Watch nothing more but *kept*; return all that were watched besides, each once."""
        everybody = {id(each): each for each in (*self.readers(), *self.writers()) if each not in kept}
        for each in everybody.values():
            self.remove_reader(each)
            self.remove_writer(each)
        return list(everybody.values())

    def forget(self) -> None:
        """Know of nothing any more, and ask the engine nothing: it is another process's."""
        for known in (self._watched, self._readers, self._writers):
            known.clear()

    def watch_anew(self) -> None:
        """The engine has closed all watches: watch again what is left."""
        readers, writers = self.readers(), self.writers()
        for each in (*readers, *writers):
            self.remove_reader(each)
            self.remove_writer(each)
        for each in readers:
            self.add_reader(each)
        for each in writers:
            self.add_writer(each)
