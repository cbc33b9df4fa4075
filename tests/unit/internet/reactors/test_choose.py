"""Choosing and installing a reactor; each test in a process of its own, since there is one reactor to a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from torsion.internet.reactors.choose import FLAVOURS, NoSuchReactor, install


def run(code):
    """Run *code* and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted(FLAVOURS))
def test_install_by_name(name):
    code = f"""
from torsion.internet.reactors.choose import install
made = install({name!r})
from torsion.internet import reactor
print(made is reactor, type(reactor).__module__)
"""
    assert run(code) == f"True {FLAVOURS[name]}"


def test_no_such_flavour():
    with pytest.raises(NoSuchReactor, match=r"'tea'.*native"):
        install("tea")


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


def test_only_one():
    code = """
from torsion.internet.reactors import native
from torsion.internet.error import ReactorAlreadyInstalledError
first = native.install()
try:
    native.install()
except ReactorAlreadyInstalledError as error:
    print(repr(first) in str(error))
from torsion.internet import reactor
assert reactor is first
"""
    assert run(code) == "True"


def test_nothing_else_installs_one():
    code = """
import importlib, pkgutil, sys
import torsion
for module in pkgutil.walk_packages(torsion.__path__, "torsion."):
    if module.name not in ("torsion.internet.reactor", "torsion._native._core"):
        importlib.import_module(module.name)
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
