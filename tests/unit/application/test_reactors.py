"""Flavours of reactor by name; installing one changes the process, so that is done in others."""

from __future__ import annotations

import subprocess
import sys

import pytest
from zope.interface.verify import verifyObject

from torsion.application import reactors
from torsion.application.reactors import IReactorInstaller, NoSuchReactor, Reactor, getReactorTypes, installReactor
from torsion.internet.reactors import choose
from torsion.plugin import IPlugin


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class Brought(Reactor):
    def __init__(self, name, why_not=None):
        super().__init__(name, "torsion", "of a plugin")
        self.reason = why_not
        self.installs = 0

    def why_not(self):
        return self.reason

    def install(self):
        self.installs += 1


@pytest.fixture
def plugins(monkeypatch):
    found = []
    monkeypatch.setattr(reactors, "getPlugins", lambda interface: iter(found))
    return found


class TestReactor:
    def test_is_a_plugin(self):
        reactor = Reactor("curio", "json", "odd")
        assert verifyObject(IReactorInstaller, reactor)
        assert IPlugin.providedBy(reactor)
        assert (reactor.shortName, reactor.moduleName, reactor.description) == ("curio", "json", "odd")
        assert reactor.why_not() is None

    @pytest.mark.parametrize("name", ["no_such_module", "no_such_package.reactor"])
    def test_whose_module_is_not_there(self, name):
        reactor = Reactor("curio", name, "odd")
        assert "no_such" in reactor.why_not()
        with pytest.raises(ImportError, match="no_such"):
            reactor.install()


class TestInstalling:
    def test_the_list(self, plugins):
        plugins.append(Brought("curio"))
        names = [each.shortName for each in getReactorTypes()]
        assert names[0] == "native"
        assert names[-1] == "curio"

    def test_of_a_plugin(self, plugins):
        curio, other = Brought("curio"), Brought("other")
        plugins += [other, curio]
        installReactor("curio")
        assert (curio.installs, other.installs) == (1, 0)

    def test_one_that_there_is_not(self, plugins):
        plugins.append(Brought("curio"))
        with pytest.raises(NoSuchReactor, match=r"'antique'.*curio.*native"):
            installReactor("antique")
        assert NoSuchReactor is choose.NoSuchReactor

    def test_one_that_does_not_work(self, plugins):
        plugins.append(Brought("curio", "too hot"))
        with pytest.raises(ImportError, match=r"'curio'.*too hot"):
            installReactor("curio")
        assert plugins[0].installs == 0

    def test_it_is_the_processs_reactor(self):
        code = """
from torsion.application.reactors import installReactor
made = installReactor("hosted-asyncio")
from torsion.internet import reactor
print(reactor is made, type(made).__name__)
"""
        assert run(code) == ["True", "AsyncioReactor"]


class TestTwistedsNames:
    @pytest.mark.parametrize(
        ("name", "kind"), [("epoll", "NativeReactor"), ("select", "NativeReactor"), ("asyncio", "AsyncioReactor")]
    )
    def test_work(self, name, kind):
        code = f"from torsion.internet.reactors.choose import install; print(type(install({name!r})).__name__)"
        assert run(code) == [kind]

    def test_or_tell_what_to_take(self):
        with pytest.raises(ImportError, match=r"'iocp'.*native"):
            installReactor("iocp")
        from torsion.plugins.twisted_reactors import iocp

        with pytest.raises(ImportError, match=r"'iocp'.*native"):
            iocp.install()

    def test_work_as_well_as_what_they_stand_for(self):
        why_not = {name: why for name, _, why in choose.available()}
        assert why_not["gi"] == why_not["hosted-gtk"]
        assert why_not["poll"] is None
