"""Objects that are brought up to date by hand, after classes were defined anew without a rebuild."""

from __future__ import annotations

import pytest

from torsion.python.rebuild import RebuildError, Sensitive, latestClass, latestFunction, updateInstance


def redefine(module, source):
    """Run source in the module, as an import of old would."""
    exec(source, module.module.__dict__)


def test_the_latest_class(live):
    module = live("class A: pass\nclass B(A): pass\nclass C(B): pass\ndef f(): pass\n")
    A, c, f = module.A, module.C(), module.f
    redefine(module, "class A:\n    def m(self):\n        return 'new'\ndef f(): pass\n")
    assert latestClass(A) is module.A is not A
    assert latestFunction(f) is module.f is not f
    updateInstance(c)
    assert c.m() == "new"
    assert latestClass(ValueError) is ValueError
    assert latestFunction(len) is len
    redefine(module, "A = 7\nf = 8\n")
    assert latestClass(A) is A
    assert latestFunction(f) is f

    class Local:
        pass

    assert latestClass(Local) is Local


def test_what_has_no_latest():
    with pytest.raises(TypeError, match="oldClass must be a class, not 3"):
        latestClass(3)
    with pytest.raises(TypeError, match="oldFunc must be a function, not 3"):
        latestFunction(3)


def test_slotted_objects(live):
    module = live("class A:\n    __slots__ = ('a',)\nclass L(list): pass\n")
    a, items = module.A(), module.L([1])
    a.a = 7
    redefine(module, "class A:\n    __slots__ = ('a',)\nclass L(list): pass\n")
    for each in (a, items):
        updateInstance(each)
        assert type(each) is getattr(module, type(each).__name__)
    assert (a.a, items) == (7, [1])
    redefine(module, "class A:\n    __slots__ = ('b',)\n")
    with pytest.raises(RebuildError, match="cannot become an object of the new A"):
        updateInstance(a)


def test_bases_that_cannot_be_changed(live):
    module = live("class A: pass\nclass B(A): pass\n")
    redefine(module, "class A(dict): pass\n")
    with pytest.raises(RebuildError, match="latest of its bases"):
        latestClass(module.B)


def test_sensitive_objects(live):
    class Watching(Sensitive):
        def method(self):
            return "method"

        @classmethod
        def of_class(cls):
            return "class"

    watching = Watching()
    watching.rebuildUpToDate()
    assert not watching.needRebuildUpdate()
    module = live(
        "def f(): return 1\nclass A:\n    def m(self):\n        return 'old'\n    @classmethod\n    def c(cls):\n        return 'old'\n"
    )
    module.change(
        "def f(): return 2\nclass A:\n    def m(self):\n        return 'old'\n    @classmethod\n    def c(cls):\n        return 'old'\n"
    )
    assert watching.needRebuildUpdate()
    watching.rebuildUpToDate()
    assert not watching.needRebuildUpdate()
    f, A, m, c = module.f, module.A, module.A().m, module.A.c
    redefine(
        module,
        "def f(): return 3\nclass A:\n    def m(self):\n        return 'new'\n    @classmethod\n    def c(cls):\n        return 'new'\n",
    )
    assert watching.latestVersionOf(f)() == 3
    assert watching.latestVersionOf(A) is module.A
    assert watching.latestVersionOf(m)() == "new"
    assert watching.latestVersionOf(c)() == "new"
    assert watching.latestVersionOf(7) == 7
    assert watching.latestVersionOf(watching.method) == watching.method
