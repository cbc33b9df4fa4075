"""What is told of a project that is ported."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torsion.porting.replacements import replacement
from torsion.porting.source import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torsion.porting.rewrite import Ported

__all__ = ["Report"]

Places = list[str]


@dataclass
class Report:
    """Gathers what is found in the files of a project.

    :ivar read: how many modules were looked at.
    :ivar changed: how many of them are to be changed, or were.
    :ivar places: in how many places.
    """

    read: int = 0
    changed: int = 0
    places: int = 0
    _lacking: dict[str, Places] = field(default_factory=lambda: defaultdict(list))
    _by_hand: Places = field(default_factory=list)
    _look: Places = field(default_factory=list)
    _requirements: Places = field(default_factory=list)
    _skipped: Places = field(default_factory=list)

    def ported(self, path: Path, ported: Ported) -> None:
        """Take in what came of a module."""
        self.read += 1
        self.changed += bool(ported.changes)
        self.places += ported.changes
        for name, line in ported.lacking:
            self._lacking[name].append(f"{path}:{line}")
        self._look += [f"{path}:{line}: the text {text!r} stays as it is" for text, line in ported.strings]
        self._by_hand += [f"{path}:{line}: {remark}" for remark, line in ported.remarks]
        if path.parent.parts[-2:] == ("twisted", "plugins"):
            self._look.append(f"{path}:1: a plugin of Twisted's: {replacement('twisted.plugins')}")

    def requires(self, path: Path, text: str, line: int) -> None:
        """Take in a line that says that the project depends on Twisted."""
        self._requirements.append(f"{path}:{line}: {text}")

    def skipped(self, path: Path, reason: object) -> None:
        """Take in that a file was left alone."""
        self._skipped.append(f"{path}: {reason}")

    @property
    def open(self) -> bool:
        """Whether something is left that this cannot do: names that torsion lacks, places for hands, files that were left alone."""
        return bool(self._lacking or self._by_hand or self._skipped)

    def lines(self, written: bool) -> Iterator[str]:
        """Yield the report.

        :param written: whether the changes were made.
        """
        if self._lacking:
            yield "Names that torsion does not have, which stay Twisted's; both are then in one process (docs/twisted.md, Mixing):"
            for advice, names in self._by_advice():
                yield f"  {advice}"
                yield from (f"    {name}  {', '.join(self._lacking[name])}" for name in names)
        for title, places in (
            ("To be changed by hand:", self._by_hand),
            ("To be looked at:", self._look),
            ("Dependencies, to be changed by hand (torsion[tls] where TLS is used):", self._requirements),
            ("Left alone:", self._skipped),
        ):
            if places:
                yield title
                yield from (f"  {place}" for place in places)
        yield self._summary(written)

    def _by_advice(self) -> list[tuple[str, Places]]:
        """Return what is to be done, and about which names."""
        names: dict[str, Places] = defaultdict(list)
        for name in sorted(self._lacking):
            names[replacement(name)].append(name)
        return sorted(names.items())

    def _summary(self, written: bool) -> str:
        made = "were changed" if written else "would be changed (--write does it)"
        lacking = sum(map(len, self._lacking.values()))
        texts = [
            f"{_count(self.read, 'module')} read",
            f"{self.changed} in {_count(self.places, 'place')} {made}" if self.changed else "nothing to be changed",
        ]
        if lacking:
            texts.append(f"{_count(len(self._lacking), 'name')} missing in {_count(lacking, 'place')}")
        if self._by_hand:
            texts.append(f"{_count(len(self._by_hand), 'place')} left for hands")
        if self._skipped:
            texts.append(f"{_count(len(self._skipped), 'file')} left alone")
        return "; ".join(texts) + "."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def difference(path: Path, before: bytes, after: bytes) -> Iterator[str]:
    """Yield the lines of a unified diff of a module, which ``patch`` can apply, without their last line feed."""
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", decoded(data)[0]) for data in (before, after))
    for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"
