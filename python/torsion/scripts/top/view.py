"""What is shown of a snapshot: lines and tables of cells, for as much room as there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.scripts.top.figures import brief, clean, count, curve, long, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.status.shape import Snapshot

__all__ = ["SORTS", "Cell", "Column", "Order", "Screen", "Section", "view"]


class Cell(NamedTuple):
    """A text and how it looks: ``""``, ``strong``, ``soft``, ``good``, ``warn``, ``bad`` or ``accent``."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column of a table."""

    title: str
    right: bool = False
    shrinks: bool = False
    """Whether it gives way where there is little room."""


class Section(NamedTuple):
    """A table with a title."""

    title: list[Cell]
    columns: list[Column]
    rows: list[list[Cell]]


class Screen(NamedTuple):
    """All that is shown."""

    head: list[list[Cell]]
    sections: list[Section]
    foot: list[list[Cell]]


SORTS = ("interest", "peer", "protocol", "age", "read", "written", "outbox")
"""What connections can be sorted by; the first is the server's own order."""


class Order(NamedTuple):
    """How connections are sorted."""

    by: str = SORTS[0]
    reverse: bool = False

    def next(self) -> Order:
        """Return the order by the next column."""
        return Order(SORTS[(SORTS.index(self.by) + 1) % len(SORTS)])

    def sort(self, rows: Sequence[Any]) -> list[Any]:
        """Return *rows* in this order: the largest figures first, names from A to Z."""
        rows = list(rows)
        if self.by != SORTS[0]:
            rows.sort(key=lambda row: row[self.by], reverse=self.by not in ("peer", "protocol"))
        return rows[::-1] if self.reverse else rows


_MOODS = {"ready": "good", "reloading": "warn", "starting": "warn", "draining": "warn"}
_SMALL = 3
"""How many rows a table other than that of connections has, where there is little room."""


def view(
    snapshot: Snapshot,
    before: Snapshot | None,
    order: Order,
    width: int,
    height: int | None,
    foot: list[list[Cell]] | None = None,
) -> Screen:
    """Return what is shown.

    :param before: an earlier snapshot, from which rates are reckoned; None if there is none.
    :param order: how connections are sorted.
    :param width: how many letters a line has.
    :param height: how many lines there are, or None for as many as are wanted.
    :param foot: the last lines.
    """
    head = _head(snapshot, before, width)
    foot = foot or []
    rest = None if height is None else height - len(head) - len(foot)
    # Each table takes a line for its title, one for its heads, and an empty one before.
    workers = _workers(snapshot)
    others = [_listeners(snapshot), _errors(snapshot), _slow(snapshot)]
    connections = _connections(snapshot, order)
    if rest is not None:
        others = [each._replace(rows=each.rows[:_SMALL]) for each in others if each.rows]
        rest -= 3 + _lines(workers)
        while others and rest - sum(map(_lines, others)) < min(4, len(connections.rows)):
            others.pop()  # connections come first
        rest -= sum(map(_lines, others))
        connections = connections._replace(rows=connections.rows[: max(0, rest)])
    sections = [each for each in (workers, connections, *others) if each.rows or each is connections]
    return Screen(head, sections, foot)


def _lines(section: Section) -> int:
    return 3 + len(section.rows) if section.rows else 0


def _cpu(snapshot: Snapshot) -> float:
    return sum(each["cpu_user"] + each["cpu_system"] for each in (snapshot["process"], *snapshot["processes"].values()))


def _head(snapshot: Snapshot, before: Snapshot | None, width: int) -> list[list[Cell]]:
    process, loop, errors, slow = snapshot["process"], snapshot["loop"], snapshot["errors"], snapshot["slow"]
    everyone = [process, *snapshot["processes"].values()]
    now = max((late for at, late in loop["lag"]["samples"] if at >= snapshot["time"] - 1.5), default=None)
    passed = snapshot["time"] - before["time"] if before is not None else 0.0
    load = f"{max(0.0, _cpu(snapshot) - _cpu(before)) / passed:.0%}" if before is not None and passed > 0 else "-"
    first = [
        Cell(clean(snapshot["name"]), "strong"),
        Cell("  ● "),
        Cell(clean(snapshot["state"]), _MOODS.get(snapshot["state"], "bad")),
    ]
    first[1] = Cell("  ● ", first[2].style)
    about = f"   pid {process['pid']}   up {long(process['uptime'])}   {clean(process['python'])}"
    first.append(Cell(f"{about}   {time.strftime('%H:%M:%S', time.localtime(snapshot['time']))}", "soft"))
    memory = sum(each["rss"] or 0 for each in everyone)
    second = _figures(
        ("connections", count(snapshot["connections"]["open"]), ""),
        ("waiting", size(snapshot["connections"]["outbox"]), ""),
        ("cpu", load, ""),
        ("memory", size(memory) if memory else "-", ""),
        ("fds", count(process["descriptors"]), ""),
        ("timers", count(snapshot["timers"]["pending"]), ""),
        ("errors", count(errors["count"]), "bad" if errors["count"] else ""),
        (
            "slow",
            "-" if slow["threshold"] is None else count(slow["count"]),
            "warn" if slow["count"] else "",
        ),
    )
    bars, highest = curve([late for _, late in loop["lag"]["samples"]], max(10, width - 36))
    lag = [
        Cell("lag ", "soft"),
        Cell(f"{brief(now):>7} ", "bad" if (now or 0) > 1 else "warn" if (now or 0) > 0.1 else "strong"),
        Cell(bars, "accent"),
        Cell(f" of {brief(highest)}, at most {brief(loop['lag']['max'])}", "soft"),
    ]
    return [first, second, lag]


def _figures(*figures: tuple[str, str, str]) -> list[Cell]:
    cells: list[Cell] = []
    for name, value, style in figures:
        cells += [Cell(f"{name} ", "soft"), Cell(value, style or "strong"), Cell("   ")]
    return cells[:-1]


def _title(text: str, more: str = "") -> list[Cell]:
    return [Cell(text, "strong"), Cell(f"  {more}", "soft")]


def _short(name: str) -> str:
    """Return the class of a dotted name."""
    return clean(name.rpartition(".")[2] or name)


def _connections(snapshot: Snapshot, order: Order) -> Section:
    everything = snapshot["connections"]
    heads = {
        "peer": Column("peer", shrinks=True),
        "protocol": Column("protocol", shrinks=True),
        "kind": Column("kind"),
        "age": Column("age", right=True),
        "read": Column("read", right=True),
        "written": Column("sent", right=True),
        "outbox": Column("outbox", right=True),
    }
    mark = "↑" if order.reverse else "↓"
    columns = [
        column._replace(title=f"{column.title} {mark}") if name == order.by else column
        for name, column in heads.items()
    ]
    many = bool(snapshot["workers"])
    rows = [
        [
            *([Cell(clean(each["worker"] or ""), "soft")] if many else []),
            Cell(clean(each["peer"]) or "(no name)"),
            Cell(_short(each["protocol"])),
            Cell(clean(each["kind"]), "soft"),
            Cell(long(each["age"])),
            Cell(size(each["read"])),
            Cell(size(each["written"])),
            Cell(size(each["outbox"]), "warn" if each["outbox"] else "soft"),
        ]
        for each in order.sort(everything["list"])
    ]
    more = f"{count(everything['open'])} open, by {order.by}{', turned round' if order.reverse else ''}"
    return Section(_title("Connections", more), [*([Column("worker")] if many else []), *columns], rows)


def _workers(snapshot: Snapshot) -> Section:
    columns = [Column("worker"), Column("state", shrinks=True), Column("pid", right=True), Column("up", right=True)]
    columns += [Column(title, right=True) for title in ("connections", "cpu time", "memory", "lag", "restarts")]
    rows = [
        [
            Cell(clean(each["worker"])),
            Cell(
                clean(f"{each['state']}: {each['problem']}" if each["problem"] else each["state"]),
                _MOODS.get(each["state"], "bad"),
            ),
            Cell("-" if each["pid"] is None else str(each["pid"])),
            Cell(long(each["uptime"])),
            Cell(count(each["connections"])),
            Cell(brief(each["cpu"])),
            Cell(size(each["rss"])),
            Cell(brief(each["lag"])),
            Cell(count(each["restarts"]), "warn" if each["restarts"] else ""),
        ]
        for each in snapshot["workers"]
    ]
    good = sum(each["state"] == "ready" for each in snapshot["workers"])
    return Section(_title("Workers", f"{good} of {len(rows)} ready"), columns, rows)


def _listeners(snapshot: Snapshot) -> Section:
    columns = [
        Column("address", shrinks=True),
        Column("factory", shrinks=True),
        Column("kind"),
        Column("accepted", right=True),
        Column("open", right=True),
    ]
    rows = [
        [
            Cell(clean(each["address"]) or "(no name)"),
            Cell(_short(each["factory"])),
            Cell(clean(each["kind"]), "soft"),
            Cell(count(each["accepted"])),
            Cell(count(each["open"])),
        ]
        for each in snapshot["listeners"]
    ]
    return Section(_title("Listeners", count(len(rows))), columns, rows)


def _when(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _errors(snapshot: Snapshot) -> Section:
    columns = [Column("at"), Column("type", shrinks=True), Column("message", shrinks=True)]
    rows = [
        [
            Cell(_when(each["at"]), "soft"),
            Cell(clean(each["type"]), "bad"),
            Cell(clean(each["message"] or each["text"])),
        ]
        for each in snapshot["errors"]["list"]
    ]
    return Section(_title("Unhandled errors", count(snapshot["errors"]["count"])), columns, rows)


def _slow(snapshot: Snapshot) -> Section:
    slow = snapshot["slow"]
    columns = [Column("at"), Column("took", right=True), Column("call", shrinks=True)]
    rows = [
        [
            Cell(_when(each["at"]), "soft"),
            Cell(brief(each["seconds"]), "warn"),
            Cell(clean(each["call"]) or "(unknown)"),
        ]
        for each in slow["list"]
    ]
    return Section(_title("Slow callbacks", f"{count(slow['count'])} over {brief(slow['threshold'])}"), columns, rows)
