"""What torsion has, as it is read off its files."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import torsion
from torsion.porting import Available

AVAILABLE = Available()

# What need not be there: other loops' toolkits, Twisted, TLS.
OPTIONAL = (
    "gi",
    "PySide6",
    "tkinter",
    "_tkinter",
    "serial",
    "twisted",
    "pytest",
    "hypothesis",
    "OpenSSL",
    "cryptography",
)


def modules() -> list[str]:
    return [
        each.name
        for each in pkgutil.walk_packages(torsion.__path__, "torsion.", onerror=lambda _: None)
        if not each.name.endswith(("internet.reactor", "__main__"))
    ]


def test_every_module_is_found_and_has_the_names_that_it_says() -> None:
    wrong = []
    for name in modules():
        parts = tuple(name.split(".")[1:])
        assert AVAILABLE.module(parts), name
        try:
            module = importlib.import_module(name)
        except ImportError as problem:
            assert (problem.name or "").partition(".")[0] in OPTIONAL, name  # noqa: PT017 - the others are no failure
            continue
        wrong += [f"{name}.{each}" for each in getattr(module, "__all__", ()) if not AVAILABLE.has(parts, each)]
    assert wrong == []


@pytest.mark.parametrize(
    "name",
    [
        "internet",
        "internet.reactor",
        "internet.reactor.callLater",
        "internet.defer.Deferred",
        "internet.defer.__doc__",
        "internet.interfaces.IReactorTCP",
        "python.log.msg",
        "protocols.basic.LineReceiver",
        "web.template.tags.p",  # an object, which has any name, where there is a module as well
    ],
)
def test_what_is_there(name: str) -> None:
    *module, last = name.split(".")
    assert AVAILABLE.has(module, last)


@pytest.mark.parametrize(
    "name",
    [
        "nought",
        "__version__",
        "internet.nought",
        "internet.defer.nought",
        "internet.defer._deferred",
        "internet.defer.annotations",
        "internet.task.TYPE_CHECKING",
        "web.template.nought",
    ],
)
def test_what_is_not(name: str) -> None:
    *module, last = name.split(".")
    assert not AVAILABLE.has(module, last)


def test_the_longest_part_that_is_a_module() -> None:
    assert AVAILABLE.prefix(("internet", "defer", "Deferred", "x")) == 2
    assert AVAILABLE.prefix(("nought", "http")) == 0


def test_nothing_is_imported_to_find_out() -> None:
    script = (
        "import sys; from torsion.porting import port, Available\n"
        "port(b'from twisted.internet import reactor, defer, ssl\\nfrom twisted.internet.endpoints import nought', Available())\n"
        "print([name for name in sys.modules if name.startswith('torsion.') and not name.startswith('torsion.porting')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout == "[]\n"
