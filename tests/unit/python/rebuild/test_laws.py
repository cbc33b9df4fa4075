"""Whatever a module was before, and whatever it becomes: rebuilt, it does what it does when it is imported afresh."""

from __future__ import annotations

import itertools
import sys
import types

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from torsion.python.rebuild import rebuild

numbers = itertools.count()


class FromText:
    """Loads a module from text."""

    def __init__(self):
        self.text = ""

    def get_source(self, name):
        return self.text


@st.composite
def functions(draw):
    value, default = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    return draw(
        st.sampled_from(
            [
                f"def {{name}}(x={default}):\n    return {value}, x\n",
                f"def {{name}}(*, x={default}):\n    return {value}, x, base({value})\n",
                f"@twice\ndef {{name}}():\n    return {value}\n",
                f"def {{name}}(n={value}):\n    def inner():\n        return n, {default}\n    return inner()\n",
                f"{{name}} = lambda x={default}: (x, {value})\n",
            ]
        )
    )


@st.composite
def classes(draw, earlier):
    base = draw(st.sampled_from(["Base", "object", *earlier]))
    kind = draw(st.sampled_from(["plain", "slots", "dataclass", "slotted dataclass", "frozen", "property"]))
    value = draw(st.integers(0, 9))
    call = "super().m(), " if base != "object" and draw(st.booleans()) else ""
    body = f"    def m(self):\n        return {call}{value}\n"
    head = f"class {{name}}({base}):\n"
    return {
        "plain": head + f"    value = {value}\n" + body,
        "slots": head + f"    __slots__ = ('slot{value % 2}',)\n" + body,
        "dataclass": f"@dataclass\n{head}    field: int = {value}\n" + body,
        "slotted dataclass": f"@dataclass(slots=True)\n{head}    field: int = {value}\n"
        + body.replace("super()", "super({name}, self)"),
        "frozen": f"@dataclass(frozen=True, eq={value % 2 == 0})\n{head}" + body,
        "property": head + body.replace("def m(self)", "def m(self, *_)") + f"    p = property(lambda self: {value})\n",
    }[kind]


HEAD = """from dataclasses import dataclass
def twice(function):
    def wrapper():
        return [function()] * 2
    return wrapper
def base(x):
    return -x
class Base:
    __slots__ = ()
    def m(self, *_):
        return "base"
"""


@st.composite
def sources(draw):
    text = HEAD
    for name in draw(st.lists(st.sampled_from("fgh"), unique=True)):
        text += draw(functions()).replace("{name}", name)
    earlier: list[str] = []
    for name in draw(st.lists(st.sampled_from("ABC"), unique=True)):
        text += draw(classes(earlier)).replace("{name}", name)
        earlier.append(name)
    return text


def shown(module):
    """Return what there is in a module, and what it does."""
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__:
            made = value()
            found[name] = (
                [each.__name__ for each in value.__mro__],
                made.m(),
                getattr(made, "p", None),
                getattr(value, "value", None),
                repr(made) if hasattr(value, "__dataclass_fields__") else "",
                made == value(),
                hasattr(made, "__dict__"),
                value.__hash__ is None,
            )
        elif isinstance(value, types.FunctionType) and name in "fgh":
            found[name] = value()
    return found


def afresh(source):
    """Return a new module with this source."""
    module = types.ModuleType("law_module_afresh")
    sys.modules[module.__name__] = module  # dataclasses look there
    try:
        exec(source, module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


def runs(source):
    """Return whether Python takes the source: slots and dataclasses cannot be mixed at will."""
    try:
        shown(afresh(source))
    except (TypeError, ValueError):
        return False
    return True


# Few, as each looks at every object there is; hundreds were tried when it was written. To explain a failure takes too long for the same reason.
@settings(
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    deadline=None,
    max_examples=8,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(st.lists(sources().filter(runs), min_size=2, max_size=4), st.booleans())
def test_rebuilt_and_imported_afresh_are_alike(versions, fails_between):
    name = f"law_module_{next(numbers)}"
    loader = FromText()
    module = types.ModuleType(name)
    module.__loader__ = loader
    sys.modules[name] = module
    held = {}
    for text in versions:
        if vars(module).get("Base") and fails_between:
            before = shown(module)
            loader.text = text + "raise LookupError\n"
            with pytest.raises(LookupError):
                rebuild(module, doLog=False)
            assert shown(module) == before
        loader.text = text
        rebuild(module, doLog=False)
        fresh = afresh(text)
        assert shown(module) == shown(fresh)
        for key, value in held.items():
            if (
                isinstance(value, types.FunctionType)
                and vars(module).get(key) is not None
                and isinstance(vars(fresh)[key], types.FunctionType)
            ):
                assert value() == vars(module)[key]()  # who holds it runs the new code
        held = {key: vars(module)[key] for key in shown(module)}
    del sys.modules[name]
