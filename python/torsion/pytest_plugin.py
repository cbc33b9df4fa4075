"""torsion's plugin for pytest: tests that return Deferreds or are coroutines, on a reactor, which must leave nothing behind.

It is found by its entry point.  It imports nothing of torsion, and changes nothing, until a test has the mark ``torsion`` or asks for a
fixture of this module, or ``torsion_mode = auto`` is set, or ``--torsion-reactor`` is given.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_pyfunc_call",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_unconfigure",
    "torsion_flush_errors",
    "torsion_memory",
    "torsion_reactor",
    "torsion_world",
]

FIXTURES = frozenset(("torsion_flush_errors", "torsion_memory", "torsion_reactor", "torsion_world"))
VIRTUAL = frozenset(("torsion_memory", "torsion_world"))
"""Fixtures that bring a clock of their own, so that no other reactor is needed."""

OTHERS = frozenset(("anyio", "asyncio", "trio", "twisted"))
"""Marks by which other plugins are told that a coroutine is theirs."""

KNOWN = ("timeout",)
"""The arguments of the mark ``torsion``."""

A_DAY = 86_400.0
"""After how many seconds of virtual time a test has failed, unless its mark says otherwise."""

_WATCH = pytest.StashKey[Any]()


# --- options ---------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("torsion")
    group.addoption(
        "--torsion-reactor",
        metavar="FLAVOUR",
        help="the reactor that tests run on, such as native, memory or hosted-asyncio",
    )
    parser.addini(
        "torsion_mode", "strict: tests with a torsion mark or fixture; auto: all coroutines as well", default="strict"
    )
    parser.addini("torsion_timeout", "after how many seconds a test has failed", default="120")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark; install the reactor, if one is asked for, before any module of tests is imported."""
    config.addinivalue_line(
        "markers", "torsion(timeout=120): a test that runs on torsion's reactor, and leaves nothing behind"
    )
    mode = config.getini("torsion_mode")
    if mode not in ("strict", "auto"):
        raise pytest.UsageError(f"torsion_mode is strict or auto, not {mode!r}")
    try:
        _seconds("torsion_timeout", float(config.getini("torsion_timeout")))
    except ValueError:
        given = config.getini("torsion_timeout")
        raise pytest.UsageError(f"torsion_timeout is a number of seconds, more than 0, not {given!r}") from None
    flavour = config.getoption("torsion_reactor", None)
    if flavour is not None:
        from torsion.internet.reactors.choose import install

        try:
            install(flavour)
        except Exception as problem:
            raise pytest.UsageError(f"--torsion-reactor={flavour}: {problem}") from problem


def pytest_unconfigure() -> None:
    """End the reactor's threads, if there is one."""
    import sys

    current = sys.modules.get("torsion.internet._current")
    reactor = None if current is None else current.installed_reactor()
    if getattr(reactor, "threadpool", None) is not None:
        reactor._stopThreadPool()  # type: ignore[union-attr]  # it has a pool, so it is one


# --- which tests are ours --------------------------------------------------------------------------------------------


def _is_ours(item: Any) -> bool:
    """Return whether a test runs on our reactor."""
    if not isinstance(item, pytest.Function):
        return False
    if item.get_closest_marker("torsion") is not None or FIXTURES & set(item.fixturenames):
        return True
    if item.config.getini("torsion_mode") != "auto" or any(item.get_closest_marker(mark) for mark in OTHERS):
        return False
    from inspect import iscoroutinefunction

    if hasattr(item.obj, "_pytest_twisted_mark"):  # that plugin's decorators leave no mark of pytest's
        return False
    return iscoroutinefunction(item.obj) and "anyio_backend" not in item.fixturenames


def _seconds(name: str, value: object) -> float:
    """Return a timeout in seconds.

    :raises ValueError: if it is no number, or neither finite nor more than 0.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise ValueError(f"{name} is a number of seconds, more than 0, not {value!r}")
    return float(value)


def _mistake(item: pytest.Item) -> str | None:
    """Return what is wrong with a test's marks ``torsion``, those of its class and module among them; or None."""
    for mark in item.iter_markers("torsion"):
        unknown = [repr(each) for each in mark.args] + [each for each in mark.kwargs if each not in KNOWN]
        if unknown:
            return f"the mark torsion does not know {', '.join(unknown)}; its arguments are: {', '.join(KNOWN)}"
        if mark.kwargs.get("timeout") is not None:
            try:
                _seconds("timeout", mark.kwargs["timeout"])
            except ValueError as problem:
                return f"the mark torsion: {problem}"
    return None


def _timeout(item: pytest.Function) -> float:
    mark = item.get_closest_marker("torsion")
    given = None if mark is None else mark.kwargs.get("timeout")
    if given is None:
        given = A_DAY if VIRTUAL & set(item.fixturenames) else item.config.getini("torsion_timeout")
    return float(given)


def _reactor(item: pytest.Function) -> Any:
    """Return the reactor that a test runs on: one of its own in memory, if it asks for that, else the process's."""
    for name in sorted(VIRTUAL):
        made = item.funcargs.get(name)
        if made is not None:
            return made
    return _current_reactor()


def _current_reactor() -> Any:
    from torsion.internet._current import current_reactor

    return current_reactor()


# --- running ---------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a test of ours, and run the reactor until what it returns has fired."""
    if _WATCH not in pyfuncitem.stash:
        return None
    from torsion.testing.running import wait_for

    function = _original(pyfuncitem)
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    reactor = _reactor(pyfuncitem)
    if hasattr(reactor, "run_until"):
        _call_in_world(pyfuncitem, reactor, function, arguments)
    else:
        wait_for(reactor, function(**arguments), _timeout(pyfuncitem), pyfuncitem.nodeid)
    return True


def _call_in_world(item: pytest.Function, world: Any, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Call a test with a simulated network; if it fails, write down what happened, and draw it."""
    try:
        outcome = function(**arguments)
        if hasattr(outcome, "addBoth") or hasattr(outcome, "send"):
            world.run_until(outcome, _timeout(item))
    except Exception as problem:
        from torsion.testing.network.artifacts import write_failure

        text, picture = write_failure(item.nodeid, world, problem)
        problem.add_note(f"What happened: {text}, and as a picture: {picture}")
        raise


def _original(item: pytest.Function) -> Callable[..., Any]:
    """Return a test's function as it was written: pytest-asyncio, in its mode ``auto``, has put another one in its place."""
    owner = item.instance if item.instance is not None else getattr(item.parent, "obj", None)
    found = getattr(owner, item.originalname or item.name, None)
    function: Callable[..., Any] = item.obj if found is None else found
    return function


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Begin to look at what a test of ours, and its fixtures, make."""
    if _is_ours(item):
        from torsion.testing.running import Watch

        mistake = _mistake(item)
        if mistake is not None:
            pytest.fail(f"{item.nodeid}: {mistake}", pytrace=False)
        watch = Watch(None if VIRTUAL & set(item.fixturenames) else _current_reactor())  # type: ignore[attr-defined]  # a function
        item.stash[_WATCH] = watch
        watch.begin()
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test of ours that has left something behind, its fixtures' endings included."""
    try:
        return (yield)
    finally:
        watch = item.stash.get(_WATCH, None)
        if watch is not None:
            del item.stash[_WATCH]
            leaks = watch.end()
            if leaks:
                from torsion.testing.running import LeftBehindError

                pytest.fail(str(LeftBehindError(leaks)), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Never let a test that was interrupted leave its watch to the next one."""
    try:
        return (yield)
    finally:
        watch = item.stash.get(_WATCH, None)
        if watch is not None:
            del item.stash[_WATCH]
            watch.end()


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def torsion_reactor() -> Any:
    """The process's reactor, with real sockets, or of the flavour that ``--torsion-reactor`` says."""
    return _current_reactor()


@pytest.fixture
def torsion_memory(request: pytest.FixtureRequest) -> Any:
    """A reactor in memory, of the test's own: its time passes when it is told to, or when the test waits for a Deferred."""
    from torsion.internet.reactors.memory import MemoryReactor

    reactor = MemoryReactor()
    request.node.stash[_WATCH].attach(reactor)
    return reactor


@pytest.fixture
def torsion_world() -> Any:
    """A simulated network, without hosts and without faults, that writes down what happens."""
    from torsion.testing.network import World

    return World(trace=True)


@pytest.fixture
def torsion_flush_errors(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    """A function that returns the failures that were logged, of some classes of errors or of any, and has the test not fail for them."""
    watch = request.node.stash[_WATCH]
    flush: Callable[..., list[Any]] = watch.flush
    return flush
