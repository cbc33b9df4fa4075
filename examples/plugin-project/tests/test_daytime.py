"""The server, without a network; and the plugin, as torsion finds it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from torsion.application.service import IServiceMaker
from torsion.internet.testing import StringTransport
from torsion.plugin import getPlugins
from torsion.python.usage import UsageError

from daytime.protocol import DaytimeFactory
from daytime.tap import Options, makeService


def test_the_time_is_told() -> None:
    factory = DaytimeFactory()
    factory.now = lambda: datetime(2026, 11, 21, 20, 15, 0, tzinfo=UTC)
    transport = StringTransport()
    factory.buildProtocol(None).makeConnection(transport)
    assert transport.value() == b"2026-11-21 20:15:00 UTC\r\n"
    assert transport.disconnecting


def test_in_utc_if_that_is_wanted() -> None:
    now = DaytimeFactory(utc=True).now()
    assert now.tzname() == "UTC"


def test_a_service_for_each_place() -> None:
    options = Options()
    options.parseOptions(["--utc", "--listen", "tcp:0", "--listen", "unix:/tmp/daytime"])
    assert len(list(makeService(options))) == 2


def test_there_has_to_be_one() -> None:
    with pytest.raises(UsageError, match="--listen"):
        Options().parseOptions([])


def test_torsion_finds_it() -> None:
    [maker] = [each for each in getPlugins(IServiceMaker) if each.tapname == "daytime"]
    assert maker.options is Options
