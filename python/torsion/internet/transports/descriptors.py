"""Descriptors made elsewhere, which the engine watches and whose objects read and write themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.internet.transports.dialect import TORSION, Dialect

if TYPE_CHECKING:
    from torsion._native import Watch
    from torsion.internet.transports.owner import Home
    from torsion.python.failure import Failure

__all__ = ["Descriptors"]


class _Watched:
    """One descriptor, and who reads and who writes it: often the same object, but not always."""

    def __init__(self, home: Descriptors, number: int) -> None:
        self.home = home
        self.number = number
        self.watch: Watch = home.reactor.engine.watch(number, self)
        self.reader: Any = None
        self.writer: Any = None

    def ready(self, watch: Watch, readable: bool, writable: bool, /) -> None:
        """The engine says that it can be read or written, or both."""
        if readable and (reader := self.reader) is not None:
            self.home.serve(reader, "doRead")
        if writable and (writer := self.writer) is not None:
            self.home.serve(writer, "doWrite")

    def watch_failed(self, watch: Watch, errno: int, /) -> None:
        """The engine cannot watch it any more."""
        gone = self.home.dialect.error.ConnectionFdescWentAway(
            f"descriptor {self.number} was closed while it was watched"
        )
        for selectable in {id(each): each for each in (self.reader, self.writer) if each is not None}.values():
            self.home.disconnect(selectable, gone, "")

    def raised(self, source: object, exception: BaseException, /) -> None:
        """Something of ours raised: a defect, as all that is called from here is guarded."""
        dialect = self.home.dialect
        dialect.log.failure("Unhandled error in {source!r}", dialect.Failure(exception), source=source)

    def is_stale(self, number: int) -> bool:
        """Tell whether those that it was watched for have closed it since, so that the number is another's now."""
        return all(each is None or each.fileno() != number for each in (self.reader, self.writer))


class Descriptors:
    """The readers and writers of a reactor (``IReactorFDSet``).

    They are told apart as objects, whatever they are equal to, and remembered with the number that they had when they were
    added: an object that is closed says -1.
    """

    dialect: ClassVar[Dialect] = TORSION
    """Whose errors and Failures they are told with."""

    def __init__(self, reactor: Home) -> None:
        self.reactor = reactor
        self._watched: dict[int, _Watched] = {}
        self._readers: dict[int, tuple[Any, _Watched]] = {}
        self._writers: dict[int, tuple[Any, _Watched]] = {}

    # --- the interface -----------------------------------------------------------------------------------------------

    def add_reader(self, reader: Any) -> None:
        """Call the reader's ``doRead`` whenever its descriptor can be read.

        :raises OSError: if the system does not take the descriptor: it is closed, or a transport's of this reactor.
        """
        if id(reader) not in self._readers:
            watched = self._watch(reader)
            try:
                watched.watch.read(True)
            except OSError:
                self._let_go(watched)
                raise
            if watched.reader is not None:
                del self._readers[id(watched.reader)]  # two that read one descriptor: the newer has it
            watched.reader = reader
            self._readers[id(reader)] = (reader, watched)

    def add_writer(self, writer: Any) -> None:
        """Call the writer's ``doWrite`` whenever its descriptor can be written.

        :raises OSError: as :meth:`add_reader`.
        """
        if id(writer) not in self._writers:
            watched = self._watch(writer)
            try:
                watched.watch.write(True)
            except OSError:
                self._let_go(watched)
                raise
            if watched.writer is not None:
                del self._writers[id(watched.writer)]
            watched.writer = writer
            self._writers[id(writer)] = (writer, watched)

    def remove_reader(self, reader: Any) -> None:
        """Watch the reader no more, if it is watched."""
        if (found := self._readers.pop(id(reader), None)) is not None:
            watched = found[1]
            watched.reader = None
            watched.watch.read(False)
            self._let_go(watched)

    def remove_writer(self, writer: Any) -> None:
        """Watch the writer no more, if it is watched."""
        if (found := self._writers.pop(id(writer), None)) is not None:
            watched = found[1]
            watched.writer = None
            watched.watch.write(False)
            self._let_go(watched)

    def remove_all(self) -> list[Any]:
        """Watch nothing more; return all that were watched, each once."""
        everybody = {number: found[0] for number, found in (*self._readers.items(), *self._writers.items())}
        for each in everybody.values():
            self.remove_reader(each)
            self.remove_writer(each)
        return list(everybody.values())

    def readers(self) -> list[Any]:
        """Return the readers."""
        return [found[0] for found in self._readers.values()]

    def writers(self) -> list[Any]:
        """Return the writers."""
        return [found[0] for found in self._writers.values()]

    def abandon(self, reason: Failure) -> None:
        """End all, on account of *reason*: the reactor shuts down."""
        for each in self.remove_all():
            self._tell(each.connectionLost, reason)

    # --- what becomes of them ----------------------------------------------------------------------------------------

    def serve(self, selectable: Any, method: str) -> None:
        """Let it read or write; an answer or an exception is the end of it."""
        try:
            why = None if self._has_gone(selectable) else getattr(selectable, method)()
            if not why and self._has_gone(selectable):
                why = self.dialect.error.ConnectionFdescWentAway("it was closed while it was watched; remove it first")
        except BaseException as problem:  # noqa: BLE001 - as everywhere in a reactor: nothing that escapes ends the loop
            self.dialect.log.failure("Unhandled error in {source!r}; it is not watched any more", source=selectable)
            why = problem
        if why:
            self.disconnect(selectable, why, method)

    def disconnect(self, selectable: Any, why: Any, method: str) -> None:
        """Watch it no more, and tell it *why*.  Reading that is over ends only that half of those that have two."""
        self.remove_reader(selectable)
        failure = why if isinstance(why, self.dialect.Failure) else self.dialect.Failure(why)
        if (
            method == "doRead"
            and failure.check(self.dialect.error.ConnectionDone)
            and self.dialect.half_closeable_descriptor(selectable)
        ):
            self._tell(selectable.readConnectionLost, failure)
            return
        self.remove_writer(selectable)
        self._tell(selectable.connectionLost, failure)

    def _tell(self, hook: Any, reason: Failure) -> None:
        try:
            hook(reason)
        except BaseException:  # noqa: BLE001 - it has no further say, and the others are to go on
            self.dialect.log.failure("Unhandled error in {source!r}", source=hook)

    # --- one watch for each number -----------------------------------------------------------------------------------

    def _has_gone(self, selectable: Any) -> bool:
        """Tell whether it is watched, and its descriptor closed all the same: what is ready is somebody else's then."""
        found = self._readers.get(id(selectable)) or self._writers.get(id(selectable))
        return found is not None and selectable.fileno() != found[1].number

    def _watch(self, selectable: Any) -> _Watched:
        number = selectable.fileno()
        watched = self._watched.get(number)
        if watched is not None and watched.is_stale(number):
            self._forget(watched)  # closed without a word; what the number stands for now is something else
            watched = None
        if watched is None:
            watched = self._watched[number] = _Watched(self, number)
            self.reactor.open_handles[self] = None
        return watched

    def _let_go(self, watched: _Watched) -> None:
        """End the watch if nobody is left to be told."""
        if watched.reader is None and watched.writer is None:
            self._forget(watched)

    def _forget(self, watched: _Watched) -> None:
        watched.watch.close()
        for members, each in ((self._readers, watched.reader), (self._writers, watched.writer)):
            if each is not None:
                members.pop(id(each), None)
        if self._watched.get(watched.number) is watched:
            del self._watched[watched.number]
        if not self._watched:
            self.reactor.open_handles.pop(self, None)
