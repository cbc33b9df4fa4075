"""Choosing and installing a reactor; mostly in processes of their own, since there is one reactor to a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from torsion.internet.reactors import installer
from torsion.internet.reactors.choose import FLAVOURS, NoSuchReactor, available, install
from torsion.internet.reactors.flavours import Flavour


def run(code, **variables):
    """Run *code* and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "TORSION_REACTOR"} | variables
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted(FLAVOURS))
def test_install_by_name(name):
    why_not = FLAVOURS[name].why_not()
    if why_not is not None:
        pytest.skip(why_not)
    code = f"""
from torsion.internet.reactors import install
made = install({name!r})
from torsion.internet import reactor
print(made is reactor, type(reactor).__module__.startswith({FLAVOURS[name].module!r}))
"""
    assert run(code, QT_QPA_PLATFORM="offscreen") == "True True"


def test_no_such_flavour():
    with pytest.raises(NoSuchReactor, match=r"^there is no reactor called 'tea'; .*native"):
        install("tea")


@pytest.mark.parametrize(("variable", "kind"), [("hosted-asyncio", "AsyncioReactor"), ("", "NativeReactor")])
def test_the_environment_names_the_default(variable, kind):
    code = "from torsion.internet import reactor; print(type(reactor).__name__)"
    assert run(code, TORSION_REACTOR=variable) == kind


def test_a_name_counts_more_than_the_environment():
    code = "from torsion.internet.reactors import install; print(type(install('native')).__name__)"
    assert run(code, TORSION_REACTOR="hosted-asyncio") == "NativeReactor"


def test_a_wrong_name_in_the_environment():
    code = """
try:
    from torsion.internet import reactor
except KeyError as error:
    print(error)
"""
    said = run(code, TORSION_REACTOR="tea")
    assert said.startswith(
        "there is no reactor called 'tea' (the environment variable TORSION_REACTOR names it); there are:"
    )


def test_the_default_reactor():
    code = """
import sys
from torsion.internet import _current
assert _current.installed_reactor() is None
from torsion.internet import reactor
import torsion.internet.reactor as again
print(reactor is again is sys.modules["torsion.internet.reactor"] is _current.current_reactor())
reactor.callWhenRunning(reactor.stop)
reactor.run()
"""
    assert run(code) == "True"


def test_only_one_and_the_second_learns_of_the_first(tmp_path):
    (tmp_path / "early.py").write_text("def bird():\n    from torsion.internet import reactor\n")
    code = """
import asyncio, early
from torsion.internet.error import ReactorAlreadyInstalledError
from torsion.internet.reactors import native
from torsion.internet.reactors.hosted import asyncio as hosted
early.bird()
from torsion.internet import reactor
async def main():
    for install in native.install, hosted.install:
        try:
            install()
        except ReactorAlreadyInstalledError as error:
            assert repr(reactor) in str(error)
            print(str(error).partition("installed at ")[2].partition(";")[0])
asyncio.run(main())
from torsion.internet import reactor as still
assert reactor is still
"""
    where = f"{tmp_path / 'early.py'}:2, in bird"
    assert (
        run(code, PYTHONPATH=os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH")))))
        == f"{where}\n{where}"
    )


def test_one_that_was_put_there_otherwise():
    code = """
from torsion.internet import _current
from torsion.internet.reactors import install
_current.set_installed(object())
try:
    install()
except AssertionError as error:
    print("installed by other means" in str(error))
"""
    assert run(code) == "True"


def test_nothing_else_installs_one():
    code = """
import importlib, pkgutil, sys
import torsion
for module in pkgutil.walk_packages(torsion.__path__, "torsion."):
    if module.name not in ("torsion.internet.reactor", "torsion._native._core"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as missing:  # something that is optional, and not there
            if missing.name.startswith("torsion"):
                raise
from torsion.internet import _current
print(_current.installed_reactor(), "torsion.internet.reactor" in sys.modules)
"""
    assert run(code) == "None False"


def test_current_reactor_installs_the_default_one():
    code = """
from torsion.internet import _current
print(type(_current.current_reactor()).__name__)
"""
    assert run(code) == "NativeReactor"


def test_installed_by_one_and_the_same_function():
    from torsion.internet import main
    from torsion.internet.reactors import choose

    assert main.installReactor is choose.installReactor


def test_the_list_needs_none_of_what_it_lists():
    code = """
import sys
from torsion.internet.reactors import available
names = [name for name, _, _ in available()]
assert {"asyncio", "tkinter", "_tkinter", "PySide6", "gi"} & set(sys.modules) == set(), sys.modules
print(*names)
"""
    names = run(code).split()
    assert names[: len(FLAVOURS)] == list(FLAVOURS)
    assert {"asyncio", "epoll"} < set(names[len(FLAVOURS) :])  # names of Twisted's, which a plugin brings


class Brought:
    """A plugin's flavour."""

    shortName = "curio"
    description = "of a plugin"

    def __init__(self, why_not=None):
        self.installs = 0
        if why_not is not None:
            self.why_not = lambda: why_not

    def install(self):
        self.installs += 1


def test_flavours_of_plugins(monkeypatch):
    plugin = Brought()
    monkeypatch.setattr(installer, "installers", lambda: iter([plugin, Brought("too hot")]))
    assert list(available())[-2:] == [("curio", "of a plugin", None), ("curio", "of a plugin", "too hot")]
    install("curio")
    assert plugin.installs == 1
    with pytest.raises(NoSuchReactor, match="curio"):
        install("tea")


def test_what_is_not_there_is_told():
    flavour = Flavour("x", "", "no.such.module", needs=("no_such_module", "get it"))
    assert flavour.why_not() == ("get it" if sys.platform != "win32" else flavour.why_not())
    assert Flavour("x", "", "").why_not() is None


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="windows need no DISPLAY here")
def test_a_missing_display_is_told(monkeypatch):
    flavour = Flavour("x", "", "", display=True)
    monkeypatch.setenv("DISPLAY", ":0")
    assert flavour.why_not() is None
    monkeypatch.delenv("DISPLAY")
    assert "DISPLAY" in flavour.why_not()


def test_a_flavour_that_does_not_work_is_not_installed(monkeypatch):
    monkeypatch.setattr(Flavour, "why_not", lambda _: "too cold")
    with pytest.raises(ImportError, match="'native' does not work here: too cold"):
        install("native")
