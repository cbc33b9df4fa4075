"""What a rebuild did, and what it could not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

_PLAIN = frozenset([int, float, complex, bool, str, bytes, type(None)])


@dataclass(frozen=True)
class NotUpdated:
    """Something that goes on as it was, in whole or in part.

    :ivar name: its name in the module.
    :ivar why: the reason, for whoever reads the log.
    """

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass
class Report:
    """What a rebuild did. Names are those within the module, as in ``"Server.dataReceived"``.

    :ivar module: the module.
    :ivar updated: functions and methods whose code was exchanged, and variables that are another number, text or the like.
    :ivar added: names that are new.
    :ivar removed: functions and classes that the source no longer has; whoever holds one runs the old code.
    :ivar kept: variables that kept their values because the module says so (``__persistent__``).
    :ivar notUpdated: what goes on as it was, with why.
    """

    module: ModuleType
    updated: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    notUpdated: list[NotUpdated] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether there is nothing that goes on as it was."""
        return not self.notUpdated

    def __str__(self) -> str:
        counts = [f"{len(names)} {what}" for what, names in self._lists() if names]
        lines = [f"rebuilt {self.module.__name__}: {', '.join(counts) or 'nothing changed'}"]
        lines += [f"  {what}: {', '.join(names)}" for what, names in self._lists() if names]
        lines += [f"  not updated: {each}" for each in self.notUpdated]
        return "\n".join(lines)

    def _lists(self) -> list[tuple[str, list[str]]]:
        return [("updated", self.updated), ("added", self.added), ("removed", self.removed), ("kept", self.kept)]


class Session:
    """One rebuild while it happens: its report, and how to undo what it has done so far.

    :ivar namespace: the module's variables.
    :ivar done: by ``id``, the functions and classes that have been seen to; they are held, so that no other gets the same.
    :ivar results: by the ``id`` of a new function, that function and the one that is used from now on.
    :ivar replaced: from the ``id`` of a class that was made anew to the one that stays, and to itself, so that it is held.
    :ivar left: the names of classes that could not be updated; what is beneath them stays as it is, too.
    :ivar fields: classes that were updated, with the names of the fields that their objects had before.
    """

    def __init__(self, module: ModuleType) -> None:
        """Begin; nothing has happened."""
        self.report = Report(module)
        self.module = module
        self.namespace = module.__dict__
        self.done: dict[int, Any] = {}
        self.results: dict[int, tuple[Any, Any]] = {}
        self.replaced: dict[int, tuple[Any, Any]] = {}
        self.left: list[str] = []
        self.fields: list[tuple[Any, tuple[str, ...]]] = []
        self._undo: list[Callable[[], object]] = []

    def undoable(self, undo: Callable[[], object]) -> None:
        """Have *undo* be called if the rebuild fails."""
        self._undo.append(undo)

    def commit(self) -> None:
        """Let go of what would be needed to undo."""
        self._undo.clear()

    def undo(self) -> None:
        """Take everything back, the last first."""
        while self._undo:
            self._undo.pop()()

    def compare(self, name: str, old: Any, new: Any) -> None:
        """Note that the variable *name* has another value, if that can be told without asking objects of strangers."""
        if type(new) in _PLAIN and (type(old) is not type(new) or old != new):
            self.updated(name)

    def updated(self, name: str) -> None:
        """Note that *name* was exchanged."""
        if name not in self.report.updated:
            self.report.updated.append(name)

    def failed(self, name: str, why: str) -> None:
        """Note that *name* goes on as it was."""
        if (entry := NotUpdated(name, why)) not in self.report.notUpdated:
            self.report.notUpdated.append(entry)

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute, undoably."""
        missing = object()
        of_class = isinstance(owner, type)
        try:
            before = vars(owner).get(name, missing) if of_class else getattr(owner, name, missing)
        except ValueError:  # a free variable that holds nothing
            before = missing
        setter, deleter = (type.__setattr__, type.__delattr__) if of_class else (setattr, delattr)
        setter(owner, name, value)
        self.undoable(lambda: deleter(owner, name) if before is missing else setter(owner, name, before))

    def delete(self, owner: type, name: str) -> None:
        """Delete a class's attribute, undoably."""
        before = vars(owner)[name]
        type.__delattr__(owner, name)
        self.undoable(lambda: type.__setattr__(owner, name, before))

    def set_bases(self, cls: type, bases: tuple[type, ...]) -> None:
        """Set a class's bases, undoably.

        :raise TypeError: if Python does not allow it.
        """
        before = cls.__bases__
        cls.__bases__ = bases
        self.undoable(lambda: setattr(cls, "__bases__", before))
