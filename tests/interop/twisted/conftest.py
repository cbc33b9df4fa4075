"""What tests of torsion under stock Twisted share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Twisted is imported within the fixtures: the tests' own modules skip themselves where it is not installed.


@pytest.fixture
def reactor() -> Iterator[Any]:
    """A reactor of Twisted's over torsion's engine."""
    from interop.twisted.kit import close
    from torsion.interop.twisted import TorsionReactor

    made = TorsionReactor()
    yield made
    close(made)


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """The log events of the test."""
    from twisted.python import log

    events: list[dict[str, Any]] = []
    log.addObserver(events.append)
    yield events
    log.removeObserver(events.append)
