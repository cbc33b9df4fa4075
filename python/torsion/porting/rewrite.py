"""One module moved from Twisted to torsion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torsion.porting.facts import OLD, Facts, Use, read
from torsion.porting.imports import NEW, add_module, rename, rename_from, rename_module, split_from
from torsion.porting.replacements import moved
from torsion.porting.source import Source, Unportable

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from torsion.porting.available import Available
    from torsion.porting.source import Edit

__all__ = ["Ported", "port"]

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ported:
    """What came of a module.

    :ivar data: what its file should be.
    :ivar changes: how many places that changes.
    :ivar lacking: names that torsion does not have, with Twisted's name for them and their lines.
    :ivar strings: texts that name something in Twisted and stay as they are, and their lines.
    :ivar remarks: what else somebody should look at, and at which lines.
    """

    data: bytes
    changes: int = 0
    lacking: tuple[tuple[str, int], ...] = ()
    strings: tuple[tuple[str, int], ...] = ()
    remarks: tuple[tuple[str, int], ...] = ()


def port(data: bytes, available: Available) -> Ported:
    """Move a module to torsion, as far as torsion has what it imports.

    What torsion lacks stays imported from Twisted.  To do it twice is to do it once.

    :param data: what is in the module's file.
    :param available: what torsion has.
    :raises torsion.porting.Unportable: if it cannot be read.
    """
    if OLD.encode() not in data and NEW.encode() not in data:
        return Ported(data)
    source = Source(data)
    try:
        work = _Port(source, read(source), available)
    except RecursionError:
        raise Unportable("is nested too deeply to be looked through") from None
    work.do()
    return Ported(
        source.changed(work.edits) if work.edits else data,
        work.changes,
        tuple(sorted(work.lacking, key=lambda each: (each[1], each[0]))),
        tuple(work.facts.strings),
        tuple(work.remarks),
    )


@dataclass
class _Port:
    """The work on one module."""

    source: Source
    facts: Facts
    available: Available
    edits: list[Edit] = field(default_factory=list)
    changes: int = 0
    lacking: set[tuple[str, int]] = field(default_factory=set)
    remarks: list[tuple[str, int]] = field(default_factory=list)

    def do(self) -> None:
        modules = dict(self._modules_by_name())
        for node in self.facts.sourced:
            self._from(node, modules)
        for use in self.facts.uses:
            if use.base in modules and use.parts and use.base not in self.facts.bound:
                self._check(modules[use.base], use)
        self._plain()

    def _change(self, *edits: Edit) -> None:
        self.edits += edits
        self.changes += 1

    def _lack(self, name: Parts, line: int) -> None:
        self.lacking.add((".".join((OLD, *name)), line))

    # --- from twisted.m import n -------------------------------------------------------------------------------------

    def _from(self, node: ast.ImportFrom, modules: dict[str, Parts]) -> None:
        package, *rest = (node.module or "").split(".")
        if package not in (OLD, NEW):
            return
        if package == OLD and len(node.names) == 1 and self._moved_module(node, modules):
            return
        module = tuple(rest)
        elsewhere = moved(node.module or "")
        if elsewhere is not None:
            module = tuple(elsewhere.split(".")[1:])
        there = self.available.module(module)
        left = [alias for alias in node.names if not there or not self._has(module, alias.name)]
        for alias in left:
            if package == OLD or not alias.name.startswith("_"):
                self._lack(tuple(rest) if alias.name == "*" else (*rest, alias.name), alias.lineno)
        for alias in node.names:
            name = (*module, alias.name)
            if alias not in left and self.available.module(name):
                modules[alias.asname or alias.name] = name
        if package == NEW or len(left) == len(node.names):
            return
        self._change(
            *(split_from(self.source, node, left, elsewhere) if left else [rename_from(self.source, node, elsewhere)])
        )

    def _moved_module(self, node: ast.ImportFrom, modules: dict[str, Parts]) -> bool:
        """Change a statement that imports one module which is called otherwise, and tell whether it is one."""
        [alias] = node.names
        module = moved(f"{node.module}.{alias.name}")
        edit = None if module is None else rename_module(self.source, node, module)
        if module is None or edit is None:
            return False
        modules[alias.asname or alias.name] = tuple(module.split(".")[1:])
        self._change(edit)
        return True

    def _has(self, module: Parts, name: str) -> bool:
        return name == "*" or self.available.has(module, name)

    # --- uses of modules ---------------------------------------------------------------------------------------------

    def _modules_by_name(self) -> Iterator[tuple[str, Parts]]:
        """Yield the names that ``import twisted.m as n`` gives to modules that torsion has."""
        for node in self.facts.plain:
            for alias in node.names:
                package, *rest = alias.name.split(".")
                if package in (OLD, NEW) and alias.asname and self.available.module(rest):
                    yield alias.asname, tuple(rest)

    def _check(self, module: Parts, use: Use) -> None:
        """Note what is asked of *module* and not there."""
        name = (*module, *use.parts)
        known = max(self.available.prefix(name), len(module))
        if known < len(name) and not self.available.has(name[:known], name[known]):
            self._lack(name[: known + 1], use.line)

    # --- import twisted.m --------------------------------------------------------------------------------------------

    def _plain(self) -> None:
        """Change ``import`` statements, and the uses of the name that they bind."""
        named = [alias for node in self.facts.plain for alias in node.names if alias.asname]
        binding = [alias for node in self.facts.plain for alias in node.names if not alias.asname]
        for alias in named:
            self._named(alias)
        ours = [alias for alias in binding if alias.name.partition(".")[0] == OLD]
        if not ours:
            return
        taken = {OLD, NEW} & self.facts.bound
        if taken:
            line = ours[0].lineno
            self.remarks.append((f"{min(taken)} is also the name of something else here", line))
            return
        there: list[ast.alias] = []
        for alias in ours:
            if self.available.module(_rest(alias)):
                there.append(alias)
            else:
                self._lack(_rest(alias), alias.lineno)
        self._bound(there, [alias for alias in ours if alias not in there])

    def _named(self, alias: ast.alias) -> None:
        package = alias.name.partition(".")[0]
        if package in (OLD, NEW) and not self.available.module(_rest(alias)):
            self._lack(_rest(alias), alias.lineno)
        elif package == OLD:
            self._change(rename(self.source.span(alias)[0]))

    def _bound(self, there: list[ast.alias], missing: list[ast.alias]) -> None:
        """Settle what becomes of statements that bind the package's name, and of the uses of that name.

        :param there: the modules of theirs that torsion has.
        :param missing: the others, which stay.
        """
        wanted_new: set[int] = set()
        wanted_old: set[int] = set()
        for use in self.facts.uses:
            if use.base != OLD:
                continue
            of_new = _reaching(there, use)
            if use.start >= 0 and of_new and self._portable(use):
                self._change(rename(use.start))
                wanted_new |= of_new
            else:
                self._tell_left(use, bool(of_new))
                wanted_old |= _reaching([*there, *missing], use) or {id(alias) for alias in there}
        for alias in there:
            if id(alias) not in wanted_old:
                self._change(rename(self.source.span(alias)[0]))
            elif id(alias) in wanted_new:
                self._change(add_module(self.source, alias))

    def _portable(self, use: Use) -> bool:
        known = self.available.prefix(use.parts)
        return bool(use.parts) and (known == len(use.parts) or self.available.has(use.parts[:known], use.parts[known]))

    def _tell_left(self, use: Use, imported: bool) -> None:
        if not use.parts:
            self.remarks.append(("the package is used as an object", use.line))
        elif not self._portable(use):
            self._lack(use.parts[: self.available.prefix(use.parts) + 1], use.line)
        elif imported:
            self.remarks.append((f"{OLD}.{'.'.join(use.parts)} is within an f-string", use.line))
        else:
            self.remarks.append((f"{OLD}.{'.'.join(use.parts)} is not imported here", use.line))


def _rest(alias: ast.alias) -> Parts:
    return tuple(alias.name.split(".")[1:])


def _reaching(aliases: list[ast.alias], use: Use) -> set[int]:
    """Return which of *aliases* import the module that *use* is of, or the nearest to it that is on the way."""
    lengths = {id(alias): len(_rest(alias)) for alias in aliases if use.parts[: len(_rest(alias))] == _rest(alias)}
    return {each for each, length in lengths.items() if length == max(lengths.values())}
