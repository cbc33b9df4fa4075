"""Installing the default reactor."""

import sys

import pytest

import torsion.internet
from torsion.internet.error import ConnectionDone, ConnectionLost, ReactorAlreadyInstalledError
from torsion.internet.main import CONNECTION_DONE, CONNECTION_LOST, installReactor


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torsion.internet.reactor", None)
    monkeypatch.delitem(sys.modules, "torsion.internet.reactor")
    monkeypatch.setattr(torsion.internet, "reactor", None, raising=False)


def test_install():
    reactor = object()
    installReactor(reactor)
    from torsion.internet import reactor as found

    assert found is reactor
    assert sys.modules["torsion.internet.reactor"] is reactor


def test_install_twice():
    first, second = object(), object()
    installReactor(first)
    with pytest.raises(ReactorAlreadyInstalledError, match="already"):
        installReactor(second)
    assert sys.modules["torsion.internet.reactor"] is first


def test_reasons():
    assert isinstance(CONNECTION_DONE, ConnectionDone)
    assert isinstance(CONNECTION_LOST, ConnectionLost)
    assert str(CONNECTION_DONE) == "Connection was closed cleanly: Connection done."
