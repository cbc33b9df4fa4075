"""The floors of the crates: which module may name which, read off their ``crate::`` paths."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from house.tree import CRATES, shown

# From the top; a module may use the lines below its own.
REACTOR = [
    {"lib"},
    {"engine"},
    {"listener", "connector", "stream", "datagram", "watch", "signal"},
    {"tls"},
    {"poller", "ingress"},
    {"buffer", "timer", "readiness"},
    {"sink"},
    {"token", "clock", "error", "security"},
    {"address"},
]
HTTP1 = [
    {"lib"},
    {"reader", "writer"},
    {"head", "chunked"},
    {"lines", "framing"},
    {"fields"},
    {"error", "limits"},
]
FLOORS = {"reactor": REACTOR, "http1": HTTP1}
# Crates that a source file may name, beside std.
MAY_NAME_PYO3 = {"native"}
MAY_NAME_MIO = {"reactor"}


def code(path: Path) -> str:
    """Return *path* without comments and without its unit tests, which may use what they like."""
    text = path.read_text(encoding="utf-8").split("#[cfg(test)]\nmod ")[0]
    return re.sub(r"//.*", "", text)


def modules(crate: str) -> dict[str, str]:
    """Return the code of each top-level module of *crate*, by name."""
    source = CRATES / crate / "src"
    found: dict[str, str] = {}
    for path in sorted(source.rglob("*.rs")):
        name = path.relative_to(source).parts[0].removesuffix(".rs")
        found[name] = found.get(name, "") + code(path)
    return found


def uses(text: str) -> set[str]:
    """Return the top-level modules that *text* names by ``crate::…`` paths, also in braces."""
    names = set(re.findall(r"\bcrate::(\w+)", text))
    for inner in re.findall(r"\bcrate::\{(.*?)\};", text, re.DOTALL):
        group = inner
        while "{" in group:
            group = re.sub(r"\{[^{}]*\}", "", group)
        names |= {re.split(r"::|\s", entry.strip())[0] for entry in group.split(",") if entry.strip()}
    return names


def test_the_scan_sees_paths_in_braces() -> None:
    assert uses("use crate::{buffer::{outbox::Outbox, inbox}, token::Token};\nlet x = crate::clock::now();") == {
        "buffer",
        "token",
        "clock",
    }


@pytest.mark.parametrize("crate", FLOORS)
def test_every_module_has_a_floor(crate: str) -> None:
    assert set(modules(crate)) - set().union(*FLOORS[crate]) == set()


@pytest.mark.parametrize("crate", FLOORS)
def test_crates_only_look_down(crate: str) -> None:
    floor = {name: number for number, names in enumerate(FLOORS[crate]) for name in names}
    found = [
        f"{name} uses {used}"
        for name, text in modules(crate).items()
        for used in uses(text) & set(floor)
        if name != "lib" and used != name and floor[used] <= floor[name]
    ]
    assert not found


@pytest.mark.parametrize("crate", FLOORS)
def test_crates_have_no_rings(crate: str) -> None:
    """The binding is not asked: there, an engine makes the streams that know their engine."""
    every = modules(crate)
    graph = {name: (uses(text) & set(every)) - {name} for name, text in every.items() if name != "lib"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the ring


@pytest.mark.parametrize(("library", "allowed"), [("pyo3", MAY_NAME_PYO3), ("mio", MAY_NAME_MIO)])
def test_each_library_stays_in_its_crate(library: str, allowed: set[str]) -> None:
    found = {
        path for path in CRATES.rglob("*.rs") if "target" not in path.parts and re.search(rf"\b{library}::", code(path))
    }
    assert [shown(path) for path in found if path.relative_to(CRATES).parts[0] not in allowed] == []


@pytest.mark.parametrize("crate", FLOORS)
def test_only_the_binding_has_unsafe_code(crate: str) -> None:
    assert "#![forbid(unsafe_code)]" in (CRATES / crate / "src" / "lib.rs").read_text(encoding="utf-8")


def test_panics_stay_exceptions() -> None:
    manifests = [CRATES.parent / "Cargo.toml", *CRATES.glob("*/Cargo.toml")]
    assert not [
        shown(path)
        for path in manifests
        if re.search(r'^panic\s*=\s*"abort"', path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
