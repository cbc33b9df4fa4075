"""Functions stay the same objects, with their closures, wherever they are held."""

from __future__ import annotations

import functools
import inspect

import pytest


def reasons(report):
    return {each.name: each.why for each in report.notUpdated}


def test_identity_defaults_annotations_and_attributes(live):
    module = live(
        """
        def f(a, b=1, *, c=2):
            "old"
            return a, b, c
        f.mark = "old"
        """
    )
    f = module.f
    f.count = 7
    report = module.change(
        """
        def f(a, b=10, *, c=20, d: int = 30):
            "new"
            return d, c, b, a
        f.mark = "new"
        """
    )
    assert module.f is f
    assert f(1) == (30, 20, 10, 1)
    assert (f.__doc__, f.mark, f.count) == ("new", "new", 7)
    assert list(inspect.signature(f).parameters) == ["a", "b", "c", "d"]
    assert report.updated == ["f"]
    assert report.complete
    assert report.module is module.module


def test_nothing_changed(live):
    source = "def f():\n    return 1\nclass A:\n    def m(self):\n        return f()\n"
    module = live(source)
    report = module.change(source)
    assert str(report) == f"rebuilt {module.name}: nothing changed"
    assert module.A().m() == 1


def test_names_that_come_and_go(live):
    module = live("def gone():\n    return 'old'\ndef stays(): pass\nclass Gone: pass\n")
    gone = module.gone
    report = module.change("def stays(): pass\ndef new():\n    return stays\n")
    assert report.added == ["new"]
    assert sorted(report.removed) == ["Gone", "gone"]
    assert not hasattr(module.module, "gone")
    assert gone() == "old"
    assert module.new() is module.stays
    assert module.new.__globals__ is module.module.__dict__
    assert "removed: gone, Gone" in str(report) or "removed: Gone, gone" in str(report)


def test_closures_that_are_held_keep_what_they_hold(live):
    module = live(
        """
        def make(n):
            def callback(x):
                return "old", n, x
            return callback
        """
    )
    callbacks = [module.make(1), module.make(2)]
    report = module.change(
        """
        def make(n):
            # elsewhere in the file
            def callback(x):
                return "new", n, x
            return callback
        """
    )
    assert [each(3) for each in callbacks] == [("new", 1, 3), ("new", 2, 3)]
    assert set(report.updated) == {"make", "make.<locals>.callback"}
    assert report.complete


def test_closures_with_other_variables_go_on_and_are_told_of(live):
    module = live(
        """
        def make(n, m):
            def callback():
                return "old", n
            def gone():
                return "gone"
            return callback, gone
        """
    )
    callback, gone = module.make(1, 2)
    report = module.change(
        """
        def make(n, m):
            def callback():
                return "new", n, m
            return callback, None
        """
    )
    assert callback() == ("old", 1)
    assert module.make(1, 2)[0]() == ("new", 1, 2)
    assert "other variables" in reasons(report)["make.<locals>.callback"]
    assert "no longer in the source" in reasons(report)["make.<locals>.gone"]
    assert gone() == "gone"
    assert not report.complete
    assert "not updated: make.<locals>.callback: it uses other variables" in str(report)


def test_functions_that_nobody_holds_any_more_are_not_told_of(live):
    module = live("TABLE = {'a': lambda: 1, 'b': lambda: 2}\n")
    report = module.change("TABLE = {'a': lambda: 3, 'b': lambda: 4, 'c': lambda: 5}\n")
    assert module.TABLE["b"]() == 4
    assert report.complete


def test_lambdas_that_are_held_and_cannot_be_told_apart(live):
    module = live("TABLE = {'a': lambda: 1, 'b': lambda: 2}\n")
    held = module.TABLE["a"]
    report = module.change("TABLE = {'a': lambda: 3, 'b': lambda: 4}\n")
    assert held() == 1
    assert "several of this name" in reasons(report)["<lambda>"]


def test_partials_and_other_holders(live):
    module = live("def f(x):\n    return 'old', x\n")
    partial, table = functools.partial(module.f, 1), {"f": module.f}
    module.change("def f(x):\n    return 'new', x\n")
    assert partial() == table["f"](1) == ("new", 1)


# --- decorated functions ----------------------------------------------------------------------------------------------


def counted(function):
    """Count calls; a decorator of another module."""
    calls = []

    @functools.wraps(function)
    def wrapper(*args):
        calls.append(args)
        return len(calls), function(*args)

    return wrapper


def times(n):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            return [function(*args)] * n

        return wrapper

    return decorate


def test_decorated_functions_keep_identity_and_state(live, monkeypatch):
    source = "import builtins\n@builtins.counted\ndef f(x):\n    return 'old', x\n"
    monkeypatch.setattr("builtins.counted", counted, raising=False)
    module = live(source)
    f = module.f
    assert f(1) == (1, ("old", 1))
    report = module.change(source.replace("old", "new"))
    assert module.f is f
    assert f(1) == (2, ("new", 1))
    assert f.__wrapped__(2) == ("new", 2)
    assert report.complete


def test_a_decorator_s_argument_is_taken_from_the_new_source(live, monkeypatch):
    monkeypatch.setattr("builtins.times", times, raising=False)
    module = live("@times(2)\ndef f():\n    return 'old'\n")
    f = module.f
    module.change("@times(3)\ndef f():\n    return 'new'\n")
    assert f() == ["new"] * 3


def test_a_decorator_that_comes_or_goes(live, monkeypatch):
    monkeypatch.setattr("builtins.counted", counted, raising=False)
    monkeypatch.setattr("builtins.times", times, raising=False)
    module = live(
        "def f():\n    return 'old'\n@counted\ndef g():\n    return 'old'\n@counted\ndef h():\n    return 'old'\n"
    )
    f, g, h = module.f, module.g, module.h
    report = module.change(
        "@counted\ndef f():\n    return 'new'\ndef g():\n    return 'new'\n@times(2)\ndef h():\n    return 'new'\n"
    )
    assert f() == (1, "new")
    assert g() == "new"
    assert h() == ["new", "new"]
    assert module.f() == (2, "new")
    assert report.complete


@pytest.mark.parametrize("parameters", ["maxsize=None", "maxsize=4"])
def test_caches_forget_what_the_old_code_computed(live, parameters):
    source = "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(x):\n    return 'old', x\n"
    module = live(source)
    f = module.f
    assert f(1) == ("old", 1)
    report = module.change(source.replace("old", "new").replace("maxsize=None", parameters))
    assert module.f(1) == ("new", 1)
    assert f(2) == ("new", 2)
    if parameters == "maxsize=None":
        assert module.f is f
        assert report.complete
    else:
        assert "other parameters" in reasons(report)["f"]


def test_generic_functions_keep_what_others_registered(live):
    source = """
        from functools import singledispatch
        @singledispatch
        def show(x):
            return "old"
        @show.register
        def _(x: int):
            return "old int"
        """
    module = live(source)
    show = module.show
    show.register(str, lambda x: "somebody's")
    module.change(source.replace("old", "new"))
    assert module.show is show
    assert (show(1.5), show(1), show("")) == ("new", "new int", "somebody's")


def test_two_names_for_one_function(live):
    module = live("def f():\n    return 'old f'\ndef g():\n    return 'old g'\n")
    f, g = module.f, module.g
    module.change("def f():\n    return 'new'\ng = f\n")
    assert f() == g() == "new"
    assert module.g is module.f is f


def test_wrappers_that_are_no_functions(live):
    """The old wrapper is of no use any more, and whoever holds it runs the new code all the same."""
    source = """
        class Wrapper:
            def __init__(self, function):
                self.__wrapped__ = function
            def __call__(self, *args):
                return self.__wrapped__(*args)
        @Wrapper
        def f(x=1):
            return "old", x
        """
    module = live(source)
    held = module.f
    module.change(source.replace("old", "new").replace("x=1", "x=2"))
    assert held() == module.f() == ("new", 2)


def test_inlineCallbacks_and_coroutines_of_the_house(live):
    source = """
        from torsion.internet.defer import Deferred, ensureDeferred, inlineCallbacks
        @inlineCallbacks
        def generator(waiting, end="old end"):
            got = yield waiting
            return "old", got, end
        async def coroutine(waiting):
            return "old", await waiting
        """
    module = live(source)
    results = []
    waiting = [module.Deferred() for _ in range(4)]
    held, coroutine = module.generator, module.coroutine
    held(waiting[0]).addCallback(results.append)
    module.ensureDeferred(coroutine(waiting[1])).addCallback(results.append)
    report = module.change(source.replace("old", "new"))
    held(waiting[2]).addCallback(results.append)
    module.ensureDeferred(coroutine(waiting[3])).addCallback(results.append)
    for number, each in enumerate(waiting):
        each.callback(number)
    assert results == [("old", 0, "old end"), ("old", 1), ("new", 2, "new end"), ("new", 3)]
    assert report.complete


def test_free_variables_that_hold_nothing_yet(live):
    source = """
        def make():
            def f():
                return "old", later
            if False:
                later = 1
            return f
        f = make()
        """
    module = live(source)
    f = module.f
    module.change(source.replace("if False", "if True").replace("old", "new"))
    assert f() == ("new", 1)
    module.change(source.replace("old", "newer"))
    assert f()[0] == "newer"


# --- what has begun ---------------------------------------------------------------------------------------------------


def test_what_has_begun_finishes_on_the_old_code(live):
    source = """
        import types
        @types.coroutine
        def pause(value):
            return (yield value)
        async def work():
            got = await pause("old first")
            return "old", got, helper()
        def generate():
            yield "old 1"
            yield "old 2"
        def helper():
            return "old helper"
        """
    module = live(source)
    waiting, generating = module.work(), module.generate()
    assert waiting.send(None) == "old first"
    assert next(generating) == "old 1"
    module.change(source.replace("old", "new"))
    with pytest.raises(StopIteration) as stopped:
        waiting.send("value")
    # What it calls from now on is new.
    assert stopped.value.value == ("old", "value", "new helper")
    assert next(generating) == "old 2"
    assert next(module.generate()) == "new 1"
    again = module.work()
    assert again.send(None) == "new first"
    again.close()
    assert inspect.iscoroutinefunction(module.work)


def test_a_function_that_rebuilds_its_own_module(live):
    source = """
        def f(change):
            change()
            return "old"
        """
    module = live(source)
    assert module.f(lambda: module.change(source.replace("old", "new"))) == "old"
    assert module.f(lambda: None) == "new"
