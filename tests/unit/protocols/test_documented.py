"""What docs/protocols.md shows can be done."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any

import pytest

from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactor, StringTransport
from torsion.protocols.basic import LineReceiver
from torsion.protocols.wire import Echo

PAGE = Path(__file__).parents[3] / "docs" / "protocols.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def shown() -> dict[str, Any]:
    """What the page has given by the end, run from its beginning."""
    names: dict[str, Any] = {
        "Echo": Echo,
        "Factory": Factory,
        "LineReceiver": LineReceiver,
        "TABLE": bytes(codecs.encode(chr(code), "rot13").encode("latin-1")[0] for code in range(256)),
        "factory": Factory.forProtocol(Protocol),
        "reactor": MemoryReactor(),
    }
    for block in BLOCKS:
        exec(block, names)
    return names


def test_policies_are_wrapped_in_policies(shown: dict[str, Any]) -> None:
    [(port, factory, _, _)] = shown["reactor"].tcpServers
    kinds = []
    while hasattr(factory, "wrappedFactory"):
        kinds.append(type(factory).__name__)
        factory = factory.wrappedFactory
    assert (port, kinds) == (8080, ["LimitConnectionsByPeer", "TimeoutFactory", "ThrottlingFactory"])


def test_a_wrapper_of_one_s_own(shown: dict[str, Any]) -> None:
    wrapping = shown["wrapping"]
    wrapping.wrappedFactory = Factory.forProtocol(Echo)
    wrapper, transport = wrapping.buildProtocol(None), StringTransport()
    wrapper.makeConnection(transport)
    wrapper.dataReceived(b"Hello")
    assert transport.value() == b"Hello"  # turned twice


def test_a_clock_is_turned(shown: dict[str, Any]) -> None:
    wrapper, transport = shown["factory"].buildProtocol(None), StringTransport()
    wrapper.makeConnection(transport)
    shown["clock"].advance(59)
    assert not transport.disconnecting
    shown["clock"].advance(1)
    assert transport.disconnecting
