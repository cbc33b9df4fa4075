"""Variables, failures, and what cannot be rebuilt."""

from __future__ import annotations

import math
import sys
import types
import zipfile

import pytest

from torsion.python import components, rebuild
from torsion.python._reports import install


def test_variables_are_set_anew_unless_they_are_to_persist(live):
    module = live("connections = []\nlimit = 1\nonly_at_run_time = None\n")
    module.connections.append("a peer")
    module.module.set_from_elsewhere = 7
    report = module.change(
        """
        __persistent__ = ("connections",)
        connections = []
        limit = 2
        try:
            cache
        except NameError:
            cache = {}
        """
    )
    assert module.connections == ["a peer"]
    assert (module.limit, module.set_from_elsewhere) == (2, 7)
    assert module.only_at_run_time is None
    assert report.kept == ["connections"]
    assert set(report.added) == {"cache"}
    module.cache["x"] = 1
    module.change("try:\n    cache\nexcept NameError:\n    cache = {}\n")
    assert module.cache == {"x": 1}


def test_what_persisted_and_need_not_any_more(live):
    module = live("__persistent__ = ('x',)\nx = 1\n")
    module.change("__persistent__ = ('x',)\nx = 2\n")
    assert module.x == 1
    module.change("x = 3\n")
    assert module.x == 3


def test_what_a_package_has_taken_over_by_name(live):
    """As the packages of this library do: what is defined in a part says that it is from the whole."""
    source = "class A:\n    def m(self):\n        return 'old'\ndef f():\n    return 'old'\ndef gone(): pass\n"
    module = live(source)
    A, a, f = module.A, module.A(), module.f
    A.__module__ = f.__module__ = module.gone.__module__ = "somewhere.else"
    report = module.change(source.replace("old", "new").replace("def gone(): pass", ""))
    assert (module.A, module.f) == (A, f)
    assert a.m() == f() == "new"
    assert A.__module__ == f.__module__ == "somewhere.else"
    assert report.removed == ["gone"]


def test_what_is_imported_all_at_once_stays(live):
    other = live("class A: pass\ndef f(): pass\n")
    module = live(f"from {other.name} import *\n")
    module.A.__module__ = module.f.__module__ = module.name
    report = module.change(f"from {other.name} import *\n# changed\n")
    assert (module.A, module.f) == (other.A, other.f)
    assert report.removed == []


def test_a_module_s_own_getattr(live):
    module = live("def __getattr__(name):\n    return 'old ' + name\n")
    held = module.module.__dict__["__getattr__"]
    module.change("def __getattr__(name):\n    return 'new ' + name\n")
    assert module.module.anything == held("anything") == "new anything"


def test_a_name_that_was_imported_and_is_defined_now(live):
    other = live("class A:\n    def m(self):\n        return 'other'\ndef f():\n    return 'other'\n")
    module = live(f"from {other.name} import A, f\n")
    module.change("class A:\n    def m(self):\n        return 'own'\ndef f():\n    return 'own'\n")
    assert other.A().m() == other.f() == "other"
    assert module.A().m() == module.f() == "own"


def test_variables_of_a_class_that_are_to_persist(live):
    source = "class A:\n    __persistent__ = ('every',)\n    every = []\n    other = 1\n"
    module = live(source)
    module.A.every.append(1)
    report = module.change(source.replace("other = 1", "other = 2"))
    assert (module.A.every, module.A.other) == ([1], 2)
    assert report.kept == ["A.every"]


OLD = """
    import zope.interface
    class IThing(zope.interface.Interface):
        def one(): "One."
    state = "old"
    class Base:
        def b(self):
            return "old b"
    @zope.interface.implementer(IThing)
    class A(Base):
        kept = "old"
        def gone(self):
            return "old gone"
        def m(self):
            return "old m"
    class Slotted:
        __slots__ = ("a",)
    def f(x="old"):
        return x
    def removed():
        return "old"
    """
NEW = """
    import zope.interface
    class IThing(zope.interface.Interface):
        def two(): "Two."
    state = "new"
    added = 1
    class Base:
        def b(self):
            return "new b"
    class Other(Base):
        pass
    class A(Other):
        kept = "new"
        def m(self):
            return super().b()
    class Slotted:
        __slots__ = ("a", "b")
    def f(x="new"):
        return x
    """


def snapshot(module):
    a = module.A()
    return (
        sorted(name for name in vars(module.module) if name != "__builtins__"),
        {name: id(each) for name, each in vars(module.module).items() if name != "__builtins__"},
        sorted(vars(module.A)),
        module.A.__mro__,
        (a.b(), a.m(), a.gone(), a.kept, module.f(), module.removed(), module.state),
        (list(module.IThing), module.IThing.providedBy(a)),
    )


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("def broken(:\n", SyntaxError),
        ("  oddly = indented\n", IndentationError),
        ("raise RuntimeError('half way')\n", RuntimeError),
        ("import a_module_that_is_not_there\n", ImportError),
        ("raise KeyboardInterrupt\n", KeyboardInterrupt),
        ("class Z(int, str): pass\n", TypeError),
        ("'\0'\n", (SyntaxError, ValueError)),
    ],
)
def test_a_module_that_fails_is_left_whole(live, end, error):
    import builtins
    import textwrap

    module = live(OLD)
    before, build, when = snapshot(module), builtins.__build_class__, rebuild.lastRebuild
    with pytest.raises(error):
        module.change(textwrap.dedent(NEW) + end)
    assert snapshot(module) == before
    assert builtins.__build_class__ is build
    assert not components.ALLOW_DUPLICATES
    assert rebuild.lastRebuild == when
    # And it can be rebuilt when it has been mended.
    report = module.change(NEW)
    assert module.A().m() == "new b"
    assert [each.name for each in report.notUpdated] == ["Slotted"]


def test_what_decorators_did_is_taken_back(live):
    module = live("class A:\n    def m(self):\n        return 'old'\n")
    before = dict(vars(module.A))
    with pytest.raises(LookupError):
        module.change(
            """
            from dataclasses import dataclass
            from zope.interface import Interface, implementer
            class I(Interface): pass
            @implementer(I)
            @dataclass
            class A:
                x: int = 1
            raise LookupError
            """
        )
    assert {name: each for name, each in vars(module.A).items() if name not in {"__dict__", "__weakref__"}} == {
        name: each for name, each in before.items() if name not in {"__dict__", "__weakref__"}
    }
    assert module.A().m() == "old"


def test_a_source_in_no_encoding(live):
    module = live("x = 1\n")
    module.path.write_bytes(b"x = '\xff'\n")
    with pytest.raises((SyntaxError, UnicodeDecodeError, ImportError)):
        rebuild.rebuild(module.module)
    assert module.x == 1


def test_what_cannot_be_rebuilt():
    for module, why in (
        (math, "no source"),
        (types.ModuleType("made_here"), "no source"),
        (sys.modules["__main__"], "main program"),
    ):
        with pytest.raises(rebuild.RebuildError, match=why):
            rebuild.rebuild(module)
    with pytest.raises(TypeError, match="a module is rebuilt"):
        rebuild.rebuild("os")


def test_a_module_whose_file_is_gone_is_named(live):
    module = live("x = 1\n")
    module.path.unlink()
    with pytest.raises(ImportError) as caught:
        rebuild.rebuild(module.module)
    assert (caught.value.name, caught.value.path) == (module.name, str(module.path))
    assert str(caught.value).startswith(f"the source of {module.name} cannot be read from {module.path}: ")
    assert isinstance(caught.value.__cause__, ImportError)
    assert module.x == 1
    module.change("x = 2\n")
    assert module.x == 2, "it is back"


def test_rebuilding_while_rebuilding(live):
    module = live("x = 1\n")
    with pytest.raises(rebuild.RebuildError, match="being rebuilt already"):
        module.change(
            f"import sys\nfrom torsion.python.rebuild import rebuild\nrebuild(sys.modules[{module.name!r}])\n"
        )
    assert module.x == 1


def test_modules_that_it_imports_anew_define_their_own_classes(live):
    other = live("class A: pass\n")
    module = live("class A:\n    pass\n")
    A = module.A
    del sys.modules[other.name]
    module.change(f"import {other.name}\nclass A:\n    new = True\n")
    assert module.A is A
    assert A.new
    assert sys.modules[other.name].A is not A


def test_a_package_is_rebuilt_without_its_modules(live, tmp_path):
    (tmp_path / "live_module_package").mkdir()
    (tmp_path / "live_module_package" / "__init__.py").write_text("def f():\n    return 'old'\n")
    (tmp_path / "live_module_package" / "inner.py").write_text("x = 1\n")
    import live_module_package
    import live_module_package.inner

    (tmp_path / "live_module_package" / "__init__.py").write_text("def f():\n    return 'new'\n")
    (tmp_path / "live_module_package" / "inner.py").write_text("x = 2\n")
    rebuild.rebuild(live_module_package, doLog=False)
    assert live_module_package.f() == "new"
    assert live_module_package.inner.x == 1


def test_a_module_in_an_archive(live, tmp_path, monkeypatch):
    def write(text):
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("live_module_zipped.py", f"def f():\n    return {text!r}\n")

    write("old")
    monkeypatch.syspath_prepend(str(tmp_path / "all.zip"))
    import live_module_zipped

    f = live_module_zipped.f
    write("something new")
    rebuild.rebuild(live_module_zipped, doLog=False)
    assert f() == "something new"


def test_two_changes_within_one_tick_of_the_file_system(live):
    """Nothing that was compiled before is looked at: size and time of the file may be the same."""
    import os

    module = live("x = 1\n")
    when = os.stat(module.path)
    module.write("x = 2\n")
    os.utime(module.path, ns=(when.st_atime_ns, when.st_mtime_ns))
    rebuild.rebuild(module.module, doLog=False)
    assert module.x == 2


def test_the_report_is_logged_on_demand(live):
    notes = []
    from torsion.python import _reports

    before = _reports._report, _reports._note
    install(before[0], notes.append)
    try:
        module = live("def f(): return 1\n")
        module.write("def f(): return 2\n")
        report = rebuild.rebuild(module.module)
        rebuild.rebuild(module.module, doLog=False)
    finally:
        install(*before)
    assert notes == [str(report)] == [f"rebuilt {module.name}: 1 updated\n  updated: f"]


def test_when_it_was():
    assert isinstance(rebuild.lastRebuild, float)
    with pytest.raises(AttributeError, match="nothing_such"):
        rebuild.nothing_such
