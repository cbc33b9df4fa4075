"""Fixtures of the contract tests; see harness.py."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from contract.harness import FLAVOURS, run_scenario
from torsion.logger import globalLogPublisher


@pytest.fixture(params=sorted(FLAVOURS))
def flavour(request: pytest.FixtureRequest) -> str:
    """The name of the flavour under test."""
    name: str = request.param
    return name


@pytest.fixture
def reactor_factory(flavour: str) -> Callable[[], Any]:
    """Makes reactors of the flavour under test."""
    return FLAVOURS[flavour]


@pytest.fixture
def reactor(reactor_factory: Callable[[], Any]) -> Any:
    """One reactor."""
    return reactor_factory()


@pytest.fixture
def run(reactor: Any) -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Runs a scenario, a coroutine function, on the reactor."""
    return lambda scenario: run_scenario(reactor, scenario)


class Logged(list[Any]):
    """The failures that were logged.  A test takes those that it expects; any that is left fails it."""

    def take(self, *kinds: type[BaseException]) -> list[Any]:
        """Remove and return the exceptions of these classes."""
        taken = [failure.value for failure in self if failure.check(*kinds)]
        self[:] = [failure for failure in self if not failure.check(*kinds)]
        return taken


@pytest.fixture(autouse=True)
def logged() -> Iterator[Logged]:
    """What was logged as a failure during the test."""
    failures = Logged()

    def observe(event: Any) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    try:
        yield failures
    finally:
        globalLogPublisher.removeObserver(observe)
    assert not failures, [failure.getTraceback() for failure in failures]
