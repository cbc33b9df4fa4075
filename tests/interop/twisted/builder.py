"""Run Twisted's own tests of reactors on one reactor, and write their outcomes to a file: ``python builder.py REACTOR FILE``.

They come with Twisted (``twisted.internet.test``), are written once, and are made into test cases for each of a list of reactors; here
that list has one.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

import twisted.internet.test as package
from twisted.internet.test import reactormixins
from twisted.trial.reporter import TestResult
from twisted.trial.runner import TrialSuite

# What cannot be asked of a reactor over epoll, be it Twisted's: the test knows that one by its name, and would wait in vain for another.
IMPOSSIBLE = {"ReactorFDSetTestsBuilder.test_lostFileDescriptor"}


def run(reactor: str) -> dict[str, str]:
    """Return the outcome of each test on *reactor*, by the test's name without the reactor's."""
    reactormixins.ReactorBuilder._reactors = [reactor]
    cases = []
    for found in pkgutil.iter_modules(package.__path__):
        if found.name.startswith("test_"):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for kind in vars(module).values():
                if inspect.isclass(kind) and kind.__name__.endswith(f"_{reactor.rpartition('.')[2]}Tests"):
                    cases += [kind(test) for test in dir(kind) if test.startswith("test")]
    cases = [case for case in cases if neutral(case).split(".", 1)[1] not in IMPOSSIBLE]
    result = TestResult()
    TrialSuite(cases).run(result)
    outcomes = {neutral(case): "passed" for case in cases}
    for word in ("failures", "errors", "skips", "expectedFailures"):
        outcomes.update((neutral(entry[0]), word) for entry in getattr(result, word))
    return outcomes


def neutral(case: Any) -> str:
    """Return the name of *case* without the reactor's."""
    module, kind, method = case.id().rsplit(".", 2)
    return f"{module.rpartition('.')[2]}.{kind.rpartition('_')[0]}.{method}"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(run(sys.argv[1])))
