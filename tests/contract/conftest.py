"""Fixtures of the contract tests; see harness.py."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

import contract.faultkit
import contract.harness
import contract.oracle
from contract.flavours import FLAVOURS, Flavour, put_to
from torsion.logger import globalLogPublisher


@pytest.fixture(scope="module", autouse=True)
def frozen() -> None:
    """Spare the collector, which many tests call, the many thousands of objects that stay to the end anyway.

    Between two files, when hardly anything of a test is left: what is frozen is not collected any more.
    """
    contract.faultkit.collect()
    if "twisted.logger" in sys.modules:
        contract.oracle.module("contract.faultkit").collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have each test run on the flavours that have what it needs."""
    if "flavour" in metafunc.fixturenames:
        metafunc.parametrize("flavour", put_to(list(metafunc.definition.iter_markers())), indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Put the translation in the place of a test that is run on stock Twisted."""
    flavour = pyfuncitem.funcargs.get("flavour")
    if flavour is not None and flavour.theirs:
        from contract import oracle

        home: Any = oracle.module(f"contract.{pyfuncitem.path.stem}")
        if pyfuncitem.cls is not None:
            home = getattr(home, pyfuncitem.cls.__name__)()
        pyfuncitem.obj = getattr(home, pyfuncitem.originalname)
        for name, value in pyfuncitem.funcargs.items():
            pyfuncitem.funcargs[name] = oracle.translated(value)


@pytest.fixture
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """The flavour under test."""
    return FLAVOURS[request.param]


@pytest.fixture
def reactor_factory(flavour: Flavour) -> Callable[[], Any]:
    """Makes reactors of the flavour under test."""
    return flavour.make


@pytest.fixture
def reactor(reactor_factory: Callable[[], Any]) -> Any:
    """One reactor."""
    return reactor_factory()


@pytest.fixture
def run(flavour: Flavour, reactor: Any) -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Runs a scenario, a coroutine function, on the reactor."""
    harness = flavour.own(contract.harness)
    return lambda scenario: harness.run_scenario(reactor, scenario)


class Logged(list[Any]):
    """The failures that were logged.  A test takes those that it expects; any that is left fails it."""

    def take(self, *kinds: type[BaseException]) -> list[Any]:
        """Remove and return the exceptions of these classes."""
        taken = [failure.value for failure in self if failure.check(*kinds)]
        self[:] = [failure for failure in self if not failure.check(*kinds)]
        return taken


@pytest.fixture(autouse=True)
def logged(request: pytest.FixtureRequest) -> Iterator[Logged]:
    """What was logged as a failure during the test."""
    failures = Logged()
    publisher = globalLogPublisher
    if "flavour" in request.fixturenames and request.getfixturevalue("flavour").theirs:
        from twisted import logger

        publisher = logger.globalLogPublisher

    def observe(event: Any) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"])

    publisher.addObserver(observe)
    try:
        yield failures
    finally:
        publisher.removeObserver(observe)
    assert not failures, [failure.getTraceback() for failure in failures]
