"""What was found out about faults and bad peers over TCP holds over Unix sockets: the same tests, over these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.carriers import UnixLoop, started
from contract.faultkit import Loop, needs_posix
from contract.flavours import needs

__all__ = [name for name in globals() if name.startswith("test_")]

pytestmark = [needs("kernel", "engine"), needs_posix]


@pytest.fixture
def loop(reactor_factory: Callable[[], Any], logged: object, tmp_path: Path) -> Iterator[Loop]:
    """A started reactor whose ports are at paths; when the test is done, no descriptor may be left."""
    yield from started(lambda reactor: UnixLoop(reactor, tmp_path), reactor_factory())
