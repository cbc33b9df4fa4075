"""Attributes that are replaced for a while."""

from __future__ import annotations

import pytest

from torsion.python.monkey import MonkeyPatcher


class Thing:
    a = 1
    b = 2


def test_replaced_and_put_back():
    patcher = MonkeyPatcher((Thing, "a", 10), (Thing, "a", 11))
    patcher.addPatch(Thing, "b", 20)
    assert (Thing.a, Thing.b) == (1, 2)
    patcher.patch()
    assert (Thing.a, Thing.b) == (11, 20)
    patcher.restore()
    assert (Thing.a, Thing.b) == (1, 2)
    patcher.restore()
    assert (Thing.a, Thing.b) == (1, 2)


def test_for_a_call_or_a_block():
    patcher = MonkeyPatcher((Thing, "a", 10))
    assert patcher.runWithPatches(lambda x, y: (Thing.a, x, y), 1, y=2) == (10, 1, 2)
    with patcher:
        assert Thing.a == 10
    assert Thing.a == 1
    for run in (
        lambda: patcher.runWithPatches(lambda: 1 / 0),
        lambda: patcher.__enter__() or patcher.__exit__() or 1 / 0,
    ):
        with pytest.raises(ZeroDivisionError):
            run()
        assert Thing.a == 1


def test_what_is_not_there_leaves_all_as_it_was():
    patcher = MonkeyPatcher((Thing, "a", 10), (Thing, "nothing", 1))
    with pytest.raises(AttributeError):
        patcher.patch()
    assert Thing.a == 1
    assert not hasattr(Thing, "nothing")


def test_patched_twice():
    patcher = MonkeyPatcher((Thing, "a", 10))
    patcher.patch()
    patcher.patch()
    patcher.restore()
    assert Thing.a == 1
