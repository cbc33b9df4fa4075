"""Deferreds have two twins, a native one and one in Python, which do the same: the same tests, and the same steps."""

import gc
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings

from deferreds.programs import Machine, programs, twin_programs
from deferreds.twins import NATIVE, PURE, import_with
from torsion.internet.defer import Deferred
from torsion.logger import capturedLogs
from torsion.python.failure import Failure

HERE = Path(__file__).parent
OTHER = Deferred is NATIVE.Deferred  # the tests in the files beside this one run on the other twin already

for _path in sorted(HERE.glob("test_defer_*.py")):
    if _path.stem == Path(__file__).stem:
        continue
    _module = import_with(_path, pure=OTHER)
    for _name, _value in vars(_module).items():
        if getattr(_value, "__module__", None) != _module.__name__:
            continue
        if _name.startswith("Test"):
            globals()[f"Test{_path.stem.removeprefix('test_defer').title()}_{_name[4:]}"] = _value
        elif _name.startswith("test_"):
            globals()[f"{_path.stem}_{_name[5:]}"] = _value
        elif type(_value).__name__ == "FixtureFunctionDefinition":
            globals()[_name] = _value


class TwinMachine(Machine):
    """Looks closer: the twins agree on more than what is documented."""

    def look(self):
        super().look()
        for deferred in self.deferreds:
            try:
                waits = " waiting on " in repr(deferred)
            except RecursionError:
                waits = "its result is itself"
            self.note(waits, len(deferred.callbacks) if not self.inside else "some")

    inside = 0

    def add(self, index, kind, outcome, then):
        # While callbacks run, the twin in Python shows those that have run, too.
        self.inside += 1
        try:
            super().add(index, kind, outcome, then)
        finally:
            self.inside -= 1


def trace(defer, program):
    """Return what *program* does, and what is logged, when all is over."""
    with capturedLogs() as events:
        machine = TwinMachine(SimpleNamespace(defer=defer, Failure=Failure))
        seen = machine.run(program)
        machine.deferreds.clear()
        gc.collect()
    # Those that only the collector finds come in any order.
    return seen, sorted(str(event.get("log_failure") and event["log_failure"].type) for event in events)


@given(programs | twin_programs)
@settings(max_examples=120, deadline=None)
def check_the_same_steps(program):
    assert trace(NATIVE, program) == trace(PURE, program)


def test_the_same_steps():
    gc.collect()
    gc.freeze()  # what is there already is not looked at each time
    try:
        check_the_same_steps()
    finally:
        gc.unfreeze()


def test_the_environment_chooses():
    code = "from torsion.internet.defer import Deferred as D; print(type(D.addCallback).__name__)"
    chosen = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TORSION_PURE": pure}, capture_output=True, text=True, check=True,
        ).stdout.strip()
        for pure in ("0", "1")
    ]  # fmt: skip
    assert chosen == ["method_descriptor", "function"]


@pytest.mark.parametrize("name", sorted(set(NATIVE.__all__) - {"DeferredCallback", "DeferredErrback"}))
def test_the_same_names_and_signatures(name):
    native, pure = getattr(NATIVE, name), getattr(PURE, name)
    if native is pure:
        return
    assert native.__module__ == pure.__module__
    pairs = [(native, pure)]
    if isinstance(native, type):
        methods = [each for each in vars(pure) if not each.startswith("_") and callable(getattr(pure, each))]
        pairs = [(getattr(native, each), getattr(pure, each)) for each in methods]
    for ours, theirs in pairs:
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
