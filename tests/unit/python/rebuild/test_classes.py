"""Classes stay the same objects, and so their instances get the new code."""

from __future__ import annotations

import pickle

import pytest
from zope.interface import implementedBy


def reasons(report):
    return {each.name: each.why for each in report.notUpdated}


def test_instances_bound_methods_and_subclasses_elsewhere(live):
    source = """
        class A:
            limit = 1
            def m(self):
                return "old", self.limit
            @classmethod
            def c(cls):
                return "old c", cls.__name__
            @staticmethod
            def s():
                return "old s"
            @property
            def p(self):
                return "old p"
            @p.setter
            def p(self, value):
                self.set = "old", value
        """
    module = live(source)
    A = module.A

    class B(A):
        pass

    a, b = A(), B()
    held = [a.m, b.m, A.c, B.c, A.s]
    report = module.change(source.replace("old", "new").replace("limit = 1", "limit = 2"))
    assert module.A is A
    assert isinstance(a, module.A)
    assert [each() for each in held] == [("new", 2), ("new", 2), ("new c", "A"), ("new c", "B"), "new s"]
    assert a.p == "new p"
    b.p = 3
    assert b.set == ("new", 3)
    assert pickle.loads(pickle.dumps(a)).m() == ("new", 2)
    assert {"A.m", "A.c", "A.s", "A.p"} <= set(report.updated)
    assert report.complete


def test_super_means_the_class_that_stays(live):
    module = live(
        """
        class Base:
            def m(self):
                return ["base"]
        class A(Base):
            def m(self):
                return [*super().m(), "old"]
            def plain(self):
                return "plain"
        """
    )
    a = module.A()
    held, plain = a.m, a.plain
    report = module.change(
        """
        def deco(function):
            def wrapper(self):
                return function(self)
            return wrapper
        class Base:
            def m(self):
                return ["new base"]
            def plain(self):
                return "base plain"
        class A(Base):
            def m(self):
                return [*super().m(), "new"]
            def plain(self):
                return super().plain(), __class__
            def added(self):
                return super().m()
            @deco
            def decorated(self):
                return super().m()
        """
    )
    assert held() == a.m() == ["new base", "new"]
    assert plain() == a.plain() == ("base plain", module.A)
    assert a.added() == a.decorated() == ["new base"]
    assert report.complete
    assert "A.added" in report.added


def test_what_the_source_no_longer_has(live):
    module = live("class A:\n    kept: int = 1\n    gone: int = 2\n    def method(self): pass\n")
    module.A.from_elsewhere = "stays"
    module.A.patched = lambda self: "stays"
    report = module.change("class A:\n    kept: int = 1\n")
    assert not hasattr(module.A, "gone")
    assert not hasattr(module.A, "method")
    assert module.A.from_elsewhere == module.A().patched() == "stays"
    assert report.removed == ["A.method"]
    # From now on it is known what stood in the source.
    module.change("class A:\n    kept: int = 1\n    plain = 2\n")
    module.change("class A:\n    kept: int = 1\n")
    assert not hasattr(module.A, "plain")


def test_nested_classes_and_exceptions(live):
    source = """
        class Outer:
            class Inner:
                def m(self):
                    return "old"
            class Error(Exception):
                text = "old"
        """
    module = live(source)
    Inner, Error, inner = module.Outer.Inner, module.Outer.Error, module.Outer.Inner()
    module.change(source.replace("old", "new"))
    assert module.Outer.Inner is Inner
    assert inner.m() == "new"
    assert module.Outer.Error is Error
    assert Error.text == "new"


def test_bases_that_change(live):
    module = live("class X: pass\nclass Y:\n    def m(self):\n        return 'Y'\nclass A(X): pass\n")
    a = module.A()
    report = module.change("class X: pass\nclass Y:\n    def m(self):\n        return 'new Y'\nclass A(Y, X): pass\n")
    assert a.m() == "new Y"
    assert module.A.__mro__[1:3] == (module.Y, module.X)
    assert report.complete


def test_bases_that_python_cannot_change(live):
    """CPython has it that a class derived from object alone stays so; its objects can change their class, though."""
    module = live("class B:\n    def m(self):\n        return 'B'\nclass A: pass\n")
    old, a = module.A, module.A()
    report = module.change("class B:\n    def m(self):\n        return 'B'\nclass A(B): pass\n")
    assert a.m() == "B"
    assert type(a) is module.A
    if module.A is not old:
        assert "cannot change its bases" in reasons(report)["A"]


def test_a_layout_that_changes(live):
    module = live("class A:\n    def m(self):\n        return 'old'\n")
    a = module.A()
    report = module.change("class A(dict):\n    def m(self):\n        return 'new'\n")
    assert a.m() == "old"
    assert module.A().m() == "new"
    assert "cannot change its bases" in reasons(report)["A"]


def test_a_metaclass_that_changes(live):
    module = live("class A:\n    def m(self):\n        return 'old'\n")
    a = module.A()
    report = module.change("import abc\nclass A(abc.ABC):\n    def m(self):\n        return 'new'\n")
    assert "metaclass was type and is ABCMeta" in reasons(report)["A"]
    assert module.A().m() == "new"
    assert a.m() == "old"


def test_abstract_methods(live):
    module = live(
        "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def m(self): ...\n    @abc.abstractmethod\n    def n(self): ...\n"
    )
    module.change("import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def m(self): ...\n")
    assert module.A.__abstractmethods__ == {"m"}


def test_attributes_that_classes_have_of_their_own(live):
    source = """
        class A:
            __class__ = property(lambda self: int)
            @property
            def __bases__(self):
                return "old"
        """
    module = live(source)
    a = module.A()
    report = module.change(source.replace("old", "new"))
    assert a.__bases__ == "new"
    assert isinstance(a, int)
    assert report.complete
    report = module.change(source + "    __name__ = 'a name'\n")
    assert "cannot set it on a class that exists" in reasons(report)["A.__name__"]
    with pytest.raises(LookupError):
        module.change(source.replace("property(lambda self: int)", "1") + "raise LookupError\n")
    assert isinstance(a, int)


def test_a_metaclass_with_an_enumeration_s_names(live):
    source = "import enum\nclass Meta(enum.EnumType):\n    def m(cls):\n        return 'old'\nclass E(enum.Enum, metaclass=Meta):\n    A = 1\n"
    module = live(source)
    E = module.E
    report = module.change(source.replace("old", "new"))
    assert module.E is E
    assert E.m() == "new"
    assert report.complete


def test_classes_that_functions_made(live):
    source = """
        def make():
            class Local:
                def m(self):
                    return "old"
            return Local
        class Single:
            def m(self):
                return "old"
        Single = Single()
        """
    module = live(source)
    local, single = module.make()(), module.Single
    report = module.change(source.replace("old", "new"))
    assert local.m() == single.m() == module.Single.m() == "new"
    assert report.complete


def test_a_class_that_has_gone_and_is_held(live):
    module = live("class Gone:\n    def m(self):\n        return 'old'\ndef gone():\n    return lambda: 'old'\n")
    held, inner = module.Gone(), module.gone()
    report = module.change("x = 1\n")
    assert held.m() == inner() == "old"
    assert sorted(report.removed) == ["Gone", "gone"]
    assert report.complete


def test_values_that_change_are_told(live):
    module = live("limit = 1\nname = 'same'\nclass A:\n    size = 1\n    other = 'same'\n")
    report = module.change("limit = 2\nname = 'same'\nclass A:\n    size = 2.0\n    other = 'same'\n")
    assert set(report.updated) == {"limit", "A.size"}


# --- slots, dataclasses, enumerations ---------------------------------------------------------------------------------


def test_slots(live):
    source = """
        class A:
            __slots__ = ("a", "__weakref__")
            def m(self):
                return "old", self.a
        """
    module = live(source)
    a = module.A()
    a.a = 7
    report = module.change(source.replace("old", "new"))
    assert a.m() == ("new", 7)
    assert report.complete


def test_slots_that_change(live):
    module = live("class A:\n    __slots__ = 'a'\n    def m(self):\n        return 'old', self.a\n")
    a, old = module.A(), module.A
    a.a = 7
    held = a.m
    report = module.change("class A:\n    __slots__ = ('a', 'b')\n    def m(self):\n        return 'new', self.b\n")
    assert a.m() == held() == ("old", 7)
    assert module.A is not old
    assert reasons(report)["A"].startswith("its slots were a and are a, b")


def test_what_methods_of_such_a_class_made_stays_with_it(live):
    source = """
        class A:
            __slots__ = ("a",)
            def make(self):
                return lambda: ("old", self.a)
        """
    module = live(source)
    a = module.A()
    a.a = 1
    held = a.make()
    report = module.change(source.replace("old", "new").replace('("a",)', '("b",)'))
    assert held() == a.make()() == ("old", 1)
    assert [each.name for each in report.notUpdated] == ["A"]


def test_dataclasses(live):
    module = live(
        """
        from dataclasses import dataclass, field
        @dataclass
        class P:
            x: int
            y: int = 2
            gone: int = 0
            def m(self):
                return "old"
        """
    )
    p, P = module.P(1), module.P
    report = module.change(
        """
        from dataclasses import dataclass, field
        @dataclass(order=True)
        class P:
            x: int
            y: int = 3
            names: list = field(default_factory=list)
            needed: int = field(default=9)
            def m(self):
                return "new", self.x, self.needed
        """
    )
    assert module.P is P
    assert p.m() == ("new", 1, 9)
    assert repr(P(5)) == "P(x=5, y=3, names=[], needed=9)"
    assert P(1) < P(2)
    assert "names" in reasons(report)["P"]
    assert len(report.notUpdated) == 1


@pytest.mark.parametrize(
    "options", ["frozen=True", "slots=True", "frozen=True, slots=True", "eq=False", "kw_only=True"]
)
def test_dataclasses_of_all_kinds(live, options):
    source = f"""
        from dataclasses import dataclass
        @dataclass({options})
        class P:
            x: int = 1
            def m(self):
                return "old", self.x
        @dataclass({options})
        class Q(P):
            y: int = 2
            def m(self):
                return [super(Q, self).m(), "old"]
        """
    module = live(source)
    P, Q, p, q = module.P, module.Q, module.P(), module.Q()
    report = module.change(source.replace("old", "new"))
    assert (module.P, module.Q) == (P, Q)
    assert p.m() == ("new", 1)
    assert q.m() == [("new", 1), "new"]
    assert isinstance(module.Q(), P)
    assert Q.__bases__ == (P,)
    assert repr(q) == "Q(x=1, y=2)"
    assert report.complete


def test_slotted_dataclasses_that_share_a_field(live):
    source = """
        from dataclasses import dataclass
        @dataclass(slots=True)
        class P:
            x: int = 1
        @dataclass(slots=True)
        class Q(P):
            x: int = 2
            def m(self):
                return "old"
        """
    module = live(source)
    q = module.Q()
    report = module.change(source.replace("old", "new"))
    assert q.m() == "new"
    assert report.complete


def test_a_dataclass_that_is_given_slots(live):
    """What its class statement gives is the class that there is; only then the decorator makes another."""
    source = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\n    def m(self):\n        return 'old'\n"
    module = live(source)
    p = module.P()
    report = module.change(source.replace("old", "new").replace("@dataclass", "@dataclass(slots=True)"))
    assert module.P().m() == p.m() == "new"
    assert not hasattr(module.P(), "__dict__")
    assert "a decorator made another class" in reasons(report)["P"]


def test_named_tuples(live):
    module = live(
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    def m(self):\n        return 'old', self.x\n"
    )
    p = module.P(1)
    report = module.change(
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    def m(self):\n        return 'new', self.x\n"
    )
    assert p.m() == ("new", 1)
    assert report.complete
    report = module.change("from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int\n")
    assert module.P(1, 2).y == 2
    assert "objects made before have the fields x" in reasons(report)["P"]


def test_enumerations(live):
    source = """
        from enum import Enum, Flag
        class Color(Enum):
            RED = 1
            BLUE = 2
            def m(self):
                return "old", self.name
            @property
            def p(self):
                return "old p"
        class Mask(Flag):
            A = 1
            B = 2
        """
    module = live(source)
    red, mask = module.Color.RED, module.Mask.A | module.Mask.B
    report = module.change(source.replace("old", "new"))
    assert module.Color.RED is red
    assert red.m() == ("new", "RED")
    assert red.p == "new p"
    assert module.Mask.A in mask
    assert module.Color(1) is red
    assert report.complete
    report = module.change(source.replace("BLUE = 2", "GREEN = 3").replace("old", "newer"))
    assert "members cannot be changed" in reasons(report)["Color"]
    assert red.m() == ("new", "RED")
    assert module.Color.GREEN.m() == ("newer", "GREEN")


def test_descriptors_and_cached_properties(live):
    source = """
        from functools import cached_property, partialmethod
        class Named:
            def __set_name__(self, owner, name):
                self.owner, self.name = owner, name
        class A:
            named = Named()
            @cached_property
            def cached(self):
                return "old"
            def _m(self, x):
                return "old", x
            m = partialmethod(_m, 1)
        """
    module = live(source)
    a = module.A()
    module.change(source.replace("old", "new"))
    assert a.cached == "new"
    assert a.m() == ("new", 1)
    assert vars(module.A)["named"].owner is module.A


# --- zope.interface ---------------------------------------------------------------------------------------------------


INTERFACES = """
    from zope.interface import Interface, implementer
    from torsion.python.components import Adapter, registerAdapter
    class IOne(Interface):
        def one(): "One."
    class ITwo(Interface):
        pass
    @implementer(IOne)
    class A:
        def one(self):
            return "old"
    class ToTwo(Adapter):
        text = "old"
    registerAdapter(ToTwo, A, ITwo)
    """


def test_interfaces_adapters_and_who_implements_them(live):
    module = live(INTERFACES)
    IOne, ITwo, ToTwo, a = module.IOne, module.ITwo, module.ToTwo, module.A()
    adapted = ITwo(a)
    report = module.change(INTERFACES.replace("old", "new"))
    assert (module.IOne, module.ITwo, module.ToTwo) == (IOne, ITwo, ToTwo)
    assert IOne.providedBy(a)
    assert a.one() == adapted.text == "new"
    assert type(ITwo(a)) is ToTwo
    assert report.complete


def test_an_interface_that_changes(live):
    module = live(INTERFACES)
    IOne, a = module.IOne, module.A()
    report = module.change(INTERFACES.replace('def one(): "One."', 'def two(x): "Two."'))
    assert module.IOne is IOne
    assert list(IOne) == ["two"]
    assert IOne["two"].interface is IOne
    assert IOne["two"].getSignatureString() == "(x)"
    assert IOne.providedBy(a)
    assert "IOne" in report.updated


def test_declarations_that_come_and_go(live):
    module = live(INTERFACES)
    IOne, ITwo, A, a = module.IOne, module.ITwo, module.A, module.A()
    assert IOne.providedBy(a)
    module.change(
        INTERFACES.replace("@implementer(IOne)", "@implementer(ITwo)").replace("registerAdapter(", "(lambda *_: 0)(")
    )
    assert ITwo.providedBy(a)
    assert not IOne.providedBy(a)
    module.change(INTERFACES.replace("@implementer(IOne)", "").replace("registerAdapter(", "(lambda *_: 0)("))
    assert list(implementedBy(A)) == []
    assert not ITwo.providedBy(a)
