"""What workers that are gone have counted: sums must not shrink when a worker is replaced, as counters never go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.application.status.merge import merge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.application.status.shape import Snapshot

__all__ = ["Past"]


class Past:
    """Keeps the counts of workers that answer no more, or have been replaced."""

    def __init__(self) -> None:
        self._last: dict[str, Snapshot] = {}
        self._gone: Snapshot | None = None

    def note(self, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
        """Take the present snapshots of workers, and return what is to be merged with them: the counts of all others."""
        present = {each["worker"]: each for each in snapshots if each["worker"] is not None}
        for name, each in present.items():
            before = self._last.get(name)
            if before is not None and before["process"]["pid"] != each["process"]["pid"]:
                counts = [_counts(before)] if self._gone is None else [self._gone, _counts(before)]
                self._gone = merge(counts)
            self._last[name] = each
        silent = [_counts(each) for name, each in self._last.items() if name not in present]
        return silent if self._gone is None else [self._gone, *silent]


def _counts(snapshot: Snapshot) -> Snapshot:
    """Return what a snapshot has counted, errors and slow calls with it, and nothing of what was so at its time only."""
    pool = snapshot["threads"]["pool"]
    loop = snapshot["loop"]
    still = {"minimum": 0, "maximum": 0, "threads": 0, "busy": 0, "queued": 0}
    return {
        **snapshot,
        "connections": {"open": 0, "outbox": 0, "read": 0, "written": 0, "by_protocol": {}, "list": []},
        "listeners": [{**each, "open": 0} for each in snapshot["listeners"]],
        "timers": {"pending": 0, "list": []},
        "threads": {"count": 0, "pool": None if pool is None else {**pool, **still}, "list": []},  # type: ignore[typeddict-item]  # the keys that are not counts
        "loop": {**loop, "lag": {**loop["lag"], "samples": []}},
    }
