"""Frames by chance, cut anywhere: nothing fails, and nothing is left of a connection once it is over."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("h2")

from torsion.logger import capturedLogs
from unit.web.http2.raw import Raw, frame, get, post, reset, settings, window


def noise(chance: random.Random) -> bytes:
    """Return some frames, of which most mean something."""
    sent = b""
    for _ in range(chance.randrange(1, 12)):
        stream = chance.choice([0, 1, 1, 3, 5, 7])
        kinds = [
            get(stream or 1, path=chance.choice([b"/", b"/later", b"/long"])),
            post(stream or 1),
            reset(stream),
            window(stream, chance.choice([0, 1, 100, 2**31 - 1])),
            settings((chance.randrange(8), chance.choice([0, 1, 70_000, 2**32 - 1]))),
            frame(0, chance.choice([0, 1]), stream, b"abc"),
            frame(7, 0, 0, bytes(8)),
            frame(
                chance.randrange(12), chance.randrange(64), stream, chance.randbytes(chance.choice([0, 4, 5, 8, 20]))
            ),
        ]
        sent += chance.choice(kinds)
    return sent


@pytest.mark.parametrize("tenth", range(10))
def test_noise(tenth: int) -> None:
    for seed in range(tenth * 30, tenth * 30 + 30):
        chance, raw = random.Random(seed), Raw()
        sent, connection = noise(chance), raw.connection
        with capturedLogs() as events:
            while sent and not raw.closed:
                size = chance.randrange(1, 60)
                raw.channel.dataReceived(sent[:size])
                sent = sent[size:]
            raw.clock.pump([61] * 8)
            assert raw.closed or connection.streams, seed  # of requests that are never answered
            raw.transport.loseConnection()
        assert [event for event in events if "log_failure" in event] == [], seed
        assert (connection.kept, connection.streams, raw.clock.getDelayedCalls()) == (0, {}, []), seed
