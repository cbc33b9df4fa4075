"""Twisted's modules for its reactors: their ``install()`` installs torsion's."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from torsion.internet.reactors.hosted.asyncio import AsyncioReactor
from torsion.internet.reactors.native import NativeReactor


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("asyncioreactor", "AsyncioSelectorReactor", AsyncioReactor),
        ("epollreactor", "EPollReactor", NativeReactor),
        ("pollreactor", "PollReactor", NativeReactor),
        ("selectreactor", "SelectReactor", NativeReactor),
    ],
)
def test_classes(module, name, kind):
    assert getattr(import_module(f"torsion.internet.{module}"), name) is kind


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("asyncioreactor", "AsyncioReactor"),
        ("default", "NativeReactor"),
        ("epollreactor", "NativeReactor"),
        ("pollreactor", "NativeReactor"),
        ("selectreactor", "NativeReactor"),
    ],
)
def test_install(module, kind):
    if module == "asyncioreactor" and sys.platform == "win32":
        pytest.skip("Windows has no descriptor that another loop could watch")
    code = f"""
from torsion.internet import {module}
{module}.install()
from torsion.internet import reactor
print(type(reactor).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (kind, "")


def test_asyncio_with_a_loop():
    code = """
import asyncio
from torsion.internet import asyncioreactor
loop = asyncio.new_event_loop()
asyncioreactor.install(loop)
from torsion.internet import reactor
reactor.callWhenRunning(lambda: print(asyncio.get_running_loop() is loop))
reactor.callLater(0, reactor.stop)
reactor.run()
loop.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True", "")
