"""The way from one object to another; under its public names."""

from __future__ import annotations

import sys
import weakref
from collections import deque

from torsion.python import reflect


class Holder:
    def __init__(self, **names):
        vars(self).update(names)

    def method(self):
        pass


def test_every_kind_of_step():
    goal = object()
    for start, way in (
        ({1: goal}, "[1]"),
        ({goal: 1}, "{1}"),
        ([0, goal], "[1]"),
        ((goal,), "[0]"),
        (deque([0, goal]), "[1]"),
        (Holder(x=goal), ".x"),
        (Holder(x={"k": [1, (2, goal)]}), ".x['k'][1][1]"),
    ):
        assert reflect.objgrep(start, goal, reflect.isSame) == [way]
    holder = Holder()
    assert ".__self__" in reflect.objgrep(holder.method, holder, reflect.isSame)
    assert ".__self__.__class__" in reflect.objgrep(holder.method, Holder, reflect.isSame)
    assert "()" in reflect.objgrep(weakref.ref(holder), holder, reflect.isSame)


def test_circles_and_depth():
    circle = []
    circle += [circle, 7]
    assert reflect.objgrep(circle, 7) == ["[1]"]
    a = []
    d = [a, [a, [a]]]
    assert reflect.objgrep(d, a, reflect.isSame, maxDepth=1) == ["[0]"]
    assert reflect.objgrep(d, a, reflect.isSame, maxDepth=2) == ["[0]", "[1][0]"]
    deep = last = []
    for _ in range(5000):
        last.append([])
        last = last[0]
    last.append("goal")
    assert reflect.objgrep(deep, "goal") == ["[0]" * 5001]


def test_what_is_given(capsys):
    paths, seen = [], {}
    assert reflect.objgrep([1, 2], 2, reflect.isLike, "start", paths, seen) is paths
    assert paths == ["start[1]"]
    assert seen
    reflect.objgrep([object()], 1, showUnknowns=True)
    assert "unknown type" in capsys.readouterr().out
    assert reflect.findInstances([1, [2, "x"], True], int) == ["[0]", "[1][0]"]
    assert "sys.modules['sys']" in reflect.objgrep(sys.modules, sys, reflect.isSame, "sys.modules", maxDepth=1)
    assert isinstance(reflect.modgrep(object()), list)


def test_queued_methods():
    calls = []
    reflect.QueueMethod("name", calls)(1, 2)
    assert calls == [("name", (1, 2))]
