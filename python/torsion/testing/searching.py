"""Looking for a schedule of faults that makes a scenario fail, and for the smallest one.

Needs ``torsion[testing]``.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torsion.logger import LogLevel, capturedLogs
from torsion.testing.network import Conditions, Fault, Schedule, World
from torsion.testing.network.artifacts import ARTIFACTS, write
from torsion.testing.strategies import FAULTS, schedules

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["ARTIFACTS", "REPLAY", "Finding", "LoggedError", "find", "run", "simulated"]

REPLAY = "TORSION_REPLAY"
"""The environment's variable that holds the schedule to run instead of looking for one."""

_Scenario = Callable[[World], Any]


class LoggedError(AssertionError):
    """Something in a simulated run logged an error that nobody looked at: a hook raised, or a Deferred failed unhandled."""


def run(
    scenario: _Scenario,
    schedule: Schedule | None = None,
    conditions: Conditions | None = None,
    trace: bool = False,
    timeout: float = 3600.0,
) -> World:
    """Run *scenario* once, in a world of its own, and return that.

    :param scenario: called with the world: makes hosts, lets time pass, asserts. It may be a coroutine function; time passes by
        itself then until it is done.
    :param schedule: what goes wrong; nothing, if it is not given.
    :param conditions: how well the network carries things.
    :param trace: write down what happens.
    :param timeout: after how many simulated seconds a coroutine has failed.
    :raises LoggedError: if an error was logged, with that error as its cause.
    :raises TypeError: if *scenario* cannot be called.
    """
    if not callable(scenario):
        raise TypeError(f"scenario must be callable, with the world, not {scenario!r}")
    world = World(conditions=conditions, schedule=Schedule() if schedule is None else schedule, trace=trace)
    try:
        _run(scenario, world, timeout)
    except Exception as problem:
        if trace:
            world.befalls(f"{type(problem).__name__}: {problem}")
            problem.__dict__["_torsion_world"] = world
        raise
    return world


def _run(scenario: _Scenario, world: World, timeout: float) -> None:
    with capturedLogs() as events, world.chance():
        outcome = scenario(world)
        if iscoroutinefunction(scenario) or hasattr(outcome, "addBoth"):
            world.run_until(outcome, timeout)
    for event in events:
        failure = event.get("log_failure")
        if event.get("log_level") is LogLevel.critical and failure is not None:
            raise LoggedError(f"an error was logged: {failure.getErrorMessage()}") from failure.value


@dataclass(frozen=True)
class Finding:
    """A run that fails.

    :ivar schedule: the smallest schedule that was found with which it does.
    :ivar error: what it fails with.
    :ivar trace: what happened, a line each.
    :ivar picture: the same as a sequence diagram, in SVG.
    """

    schedule: Schedule
    error: BaseException
    trace: str
    picture: str

    def write(self, name: str, folder: Path | None = None) -> tuple[Path, Path]:
        """Write the trace and the picture; return where they are.

        :param name: what to call them.
        :param folder: where to put them; :data:`ARTIFACTS`, if it is not given.
        """
        return write(name, f"{self.schedule!r}\n{self.error!r}\n\n{self.trace}\n", self.picture, folder)


def find(
    scenario: _Scenario,
    hosts: Sequence[str] = (),
    faults: Collection[type[Fault]] = FAULTS,
    within: float = 30.0,
    most: int = 6,
    examples: int = 100,
    conditions: Conditions | SearchStrategy[Conditions] | None = None,
    seed: int | None = None,
) -> Finding | None:
    """Look for a schedule with which *scenario* fails; return the smallest that is found, or None.

    :param scenario: see :func:`run`. With the same world it must do the same.
    :param hosts: the names of the hosts that faults may befall; the scenario makes them.
    :param faults: which kinds of fault.
    :param within: until when they happen, in simulated seconds.
    :param most: how many in one run at most.
    :param examples: how many runs to try before giving up.
    :param conditions: how well the network carries things; or a strategy, to look for those as well.
    :param seed: what the search itself is drawn from, for one that is the same each time.
    :raises hypothesis.errors.Flaky: if the scenario does not do the same with the same world.
    :raises TypeError: if *scenario* cannot be called, or *hosts* is a single name, or *conditions* neither are conditions nor a
        strategy.
    """
    from hypothesis.strategies import SearchStrategy

    if not callable(scenario):
        raise TypeError(f"scenario must be callable, with the world, not {scenario!r}")
    if conditions is not None and not isinstance(conditions, Conditions | SearchStrategy):
        raise TypeError(f"conditions must be Conditions, or a hypothesis strategy of them, not {conditions!r}")
    fixed = conditions if isinstance(conditions, Conditions) else None
    found = _search(scenario, hosts, faults, within, most, examples, conditions, seed, shrink=False)
    if found is None:
        return None
    # Hypothesis makes a failing example smaller step by step, and never greater in between: two short faults that fail together
    # do not become one long one.  So those with fewer are looked for first.
    for fewer in range(len(found.faults) + 1):
        smaller = _search(scenario, hosts, faults, within, fewer, examples, conditions, seed, shrink=True)
        if smaller is not None:
            found = smaller
            break
    return _finding(scenario, found, fixed)


def _search(
    scenario: _Scenario,
    hosts: Sequence[str],
    faults: Collection[type[Fault]],
    within: float,
    most: int,
    examples: int,
    conditions: Conditions | SearchStrategy[Conditions] | None,
    seed: int | None,
    shrink: bool,
) -> Schedule | None:
    """Return a schedule with at *most* so many faults with which it fails, or None if none is found."""
    import hypothesis
    from hypothesis import strategies as st

    drawn = schedules(hosts, faults, within, most)
    if isinstance(conditions, st.SearchStrategy):
        drawn = st.builds(lambda schedule, weather: replace(schedule, conditions=weather), drawn, conditions)
    fixed = conditions if isinstance(conditions, Conditions) else None
    failing: list[Schedule] = []

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrink else [])],
        print_blob=False,
        derandomize=False,
    )
    @hypothesis.given(drawn)
    def attempt(schedule: Schedule) -> None:
        try:
            run(scenario, schedule, fixed)
        except Exception:
            failing.append(schedule)
            raise

    try:
        (attempt if seed is None else hypothesis.seed(seed)(attempt))()
    except hypothesis.errors.Flaky:
        raise
    except Exception:
        if not failing:
            raise
    else:
        return None
    return failing[-1]  # hypothesis runs the smallest last


def _finding(scenario: _Scenario, schedule: Schedule, conditions: Conditions | None) -> Finding | None:
    """Run it once more, and write down what happens."""
    try:
        run(scenario, schedule, conditions, trace=True)
    except Exception as problem:  # noqa: BLE001 - whatever the scenario fails with is what was found
        world: World = problem.__dict__.pop("_torsion_world")
        return Finding(schedule, problem, str(world.trace), world.picture())
    return None


def simulated(
    hosts: Sequence[str] = (),
    faults: Collection[type[Fault]] = FAULTS,
    within: float = 30.0,
    most: int = 6,
    examples: int = 100,
    conditions: Conditions | SearchStrategy[Conditions] | None = None,
    seed: int | None = None,
    folder: Path | None = None,
) -> Callable[[_Scenario], Callable[[], None]]:
    """Make a test of a scenario: it fails if :func:`find` finds something; the arguments are those of that.

    What it raises then is what the scenario raised, with notes that say with which schedule, how to run that again, and where
    the trace and the picture are. With :data:`REPLAY` in the environment, only the schedule that it holds is run.

    :param folder: where to put the trace and the picture; :data:`ARTIFACTS`, if it is not given.
    """

    def decorate(scenario: _Scenario) -> Callable[[], None]:
        name = f"{scenario.__module__}.{scenario.__qualname__}"

        def test() -> None:
            given = os.environ.get(REPLAY)
            if given is not None:
                fixed = conditions if isinstance(conditions, Conditions) else None
                found = _finding(scenario, Schedule.parse(given), fixed)
            else:
                found = find(scenario, hosts, faults, within, most, examples, conditions, seed)
            if found is None:
                return
            text, picture = found.write(name, folder)
            found.error.add_note(f"It fails with {found.schedule!r}")
            found.error.add_note(f"To run that again: {_command(scenario, found.schedule)}")
            found.error.add_note(f"What happened: {text}, and as a picture: {picture}")
            raise found.error

        # Not functools.wraps: pytest would take the scenario's argument for a fixture.
        test.__name__, test.__qualname__ = scenario.__name__, scenario.__qualname__
        test.__module__, test.__doc__ = scenario.__module__, scenario.__doc__
        return test

    return decorate


def _command(scenario: _Scenario, schedule: Schedule) -> str:
    """Return what to type to run *schedule* again."""
    code = getattr(scenario, "__code__", None)
    where = "" if code is None else code.co_filename
    try:
        where = str(Path(where).relative_to(Path.cwd()))
    except ValueError:
        pass  # it stays as it is: a file elsewhere
    test = "::".join([where, *scenario.__qualname__.replace(".<locals>", "").split(".")])
    return f"{REPLAY}={shlex.quote(repr(schedule))} python -m pytest {shlex.quote(test)}"
