"""Random programs of Deferreds do the same on both twins of torsion and on stock Twisted, step by step.

Left out are the programs where the two differ on purpose (docs/compat.md): pausing a Deferred that waits for another
one, a Deferred that waits for itself, and what a cancelled generator's Deferred looks like while the generator goes on.
"""

import gc
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings

from deferreds.programs import Machine, programs
from deferreds.twins import NATIVE, PURE

pytest.importorskip("twisted.internet")
pytestmark = pytest.mark.interop

import twisted.internet.defer
import twisted.python.failure

import torsion.python.failure

SIDES = [
    SimpleNamespace(defer=NATIVE, Failure=torsion.python.failure.Failure),
    SimpleNamespace(defer=PURE, Failure=torsion.python.failure.Failure),
]
STOCK = SimpleNamespace(defer=twisted.internet.defer, Failure=twisted.python.failure.Failure)


@given(programs)
@settings(max_examples=400, deadline=None)
def test_the_same_trace(program):
    theirs = Machine(STOCK)
    expected = theirs.run(program)
    assume(not theirs.stumbled)
    for side in SIDES:
        assert Machine(side).run(program) == expected


@pytest.fixture(autouse=True)
def _no_leftovers():
    yield
    gc.collect()  # unhandled failures are logged here, not in another test
