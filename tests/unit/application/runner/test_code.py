"""Taking on changed code: what has changed, in which order, and what stays when it cannot be run."""

import os
import sys
import time
from types import ModuleType

import pytest

from torsion.application.reloading import ReloadReport
from torsion.application.runner import changes as changes_module
from torsion.application.runner.changes import Changes, usersModules
from torsion.application.runner.code import takeOn
from torsion.application.runner.imports import copied, imported, statements
from torsion.application.sourcefile import NAME, load


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder of modules that can be imported, and are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Project(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.written = 0

    def write(self, **sources):
        """Write modules; each time they are a second younger, whatever the clock of the system's files."""
        for name, source in sources.items():
            path = self.folder / f"{name}.py"
            path.write_text(source)
            self.date(path)

    def date(self, path):
        self.written += 1
        when = time.time() - 1000 + self.written
        os.utime(path, (when, when))

    def load(self, *names):
        for name in names:
            __import__(name)
        return [sys.modules[name] for name in names]


def take_on(changes):
    report = ReloadReport()
    takeOn(changes, report)
    return report


@pytest.fixture
def changes(project):
    """What is asked of the modules a and b, of which b needs a."""
    project.write(
        a="LIMIT = 1\ndef price():\n    return LIMIT\n", b="from a import LIMIT, price\nimport a\nUSED = LIMIT\n"
    )
    changes = Changes()
    project.load("b")
    changes.note()
    return changes


def test_nothing_has_changed(changes):
    assert changes.find() == []
    assert take_on(changes) == ReloadReport()


def test_what_says_something_else_has_changed(project, changes):
    project.write(a="LIMIT = 2\ndef price():\n    return 2 * LIMIT\n")
    price = sys.modules["b"].price
    report = take_on(changes)
    assert report.rebuilt == {"a": ["LIMIT", "price", "LIMIT in b"]}
    assert price() == 4
    assert sys.modules["b"].LIMIT == 2
    assert report.complete
    assert take_on(changes) == ReloadReport()  # once


def test_a_file_that_was_only_touched_has_not_changed(project, changes):
    project.date(project.folder / "a.py")
    assert changes.find() == []


def test_those_that_are_needed_come_first(project, changes):
    project.write(b="from a import PRICES\nUSED = PRICES[0]\n", a="PRICES = [7]\n")
    report = take_on(changes)
    assert list(report.rebuilt) == ["a", "b"]
    assert sys.modules["b"].USED == 7


def test_also_by_way_of_others(project):
    project.write(z="class Z:\n    x = 1\n", m="from z import Z\nclass M(Z):\n    pass\n", a="import m\n")
    changes = Changes()
    project.load("a")
    changes.note()
    project.write(a="import m\nX = m.M.x\n", z="class Z:\n    x = 2\n")
    assert [each.module.__name__ for each in changes.find()] == ["z", "a"]
    assert list(take_on(changes).rebuilt) == ["z", "a"]
    assert sys.modules["a"].X == 2


def test_rings_come_to_an_end(project):
    project.write(a="import b\n", b="import a\n")
    changes = Changes()
    project.load("a")
    changes.note()
    project.write(a="import b\nX = 1\n", b="import a\nX = 1\n")
    assert {each.module.__name__ for each in changes.find()} == {"a", "b"}


@pytest.mark.parametrize(
    ("source", "why"), [("x = 1 / 0\n", "ZeroDivisionError: division by zero"), ("x =\n", "SyntaxError: ")]
)
def test_what_cannot_be_run_stays_whole_and_so_does_what_needs_it(project, changes, source, why):
    project.write(a="LIMIT = 3\n" + source, b="from a import LIMIT\nNEW = True\n")
    report = take_on(changes)
    a, b = sys.modules["a"], sys.modules["b"]
    assert (a.LIMIT, b.USED, hasattr(b, "NEW")) == (1, 1, False)
    [trouble] = report.failed
    assert trouble.what == "a"
    assert trouble.why.startswith(f"it stays as it was: {why}")
    assert "code.py" not in trouble.traceback
    assert str(project.folder / "a.py") in trouble.traceback
    assert [str(each) for each in report.notUpdated] == ["b: it stays as it was, as it uses a"]
    # It is tried again, and taken on when it has been mended.
    assert not take_on(changes).ok
    project.write(a="LIMIT = 3\n")
    assert list(take_on(changes).rebuilt) == ["a", "b"]
    assert b.NEW


def test_a_module_that_ends_the_program_does_not(project, changes):
    project.write(a="import sys\nsys.exit(3)\n")
    [trouble] = take_on(changes).failed
    assert trouble.why == "it stays as it was: SystemExit: 3"


def test_a_source_that_is_gone(project, changes):
    (project.folder / "a.py").unlink()
    report = take_on(changes)
    assert [str(each) for each in report.notUpdated] == ["a: its source is gone"]


def test_what_cannot_be_updated_is_told(project):
    project.write(c="class Item:\n    pass\n")
    changes = Changes()
    [module] = project.load("c")
    changes.note()
    kept = module.Item()
    project.write(c="class Item:\n    __slots__ = ('name',)\n")
    [trouble] = take_on(changes).notUpdated
    assert trouble.what == "c.Item"
    assert trouble.why.startswith("its slots were")
    assert kept is not None


def test_what_makes_the_service_has_made_it(project):
    project.write(maker="def makeService(options):\n    return 1\n")
    changes = Changes()
    project.load("maker")
    changes.note()
    project.write(maker="def makeService(options):\n    return 2\n")
    assert [each.what for each in take_on(changes).notUpdated] == ["maker.makeService"]


def test_what_was_changed_between_the_beginning_and_the_note_has_changed(project):
    changes = Changes()
    project.write(a="X = 1\n")
    project.load("a")
    (project.folder / "a.py").write_text("X = 2\n")  # now
    changes.note()
    assert list(take_on(changes).rebuilt) == ["a"]
    assert sys.modules["a"].X == 2


def test_what_is_changed_while_it_is_rebuilt_is_taken_on_the_next_time(project, changes, monkeypatch):
    from torsion.python import rebuild as package

    def rebuild(module, **keywords):
        report = original(module, **keywords)
        project.write(a="LIMIT = 3\n")
        return report

    original = package.rebuild
    project.write(a="LIMIT = 2\n")
    with monkeypatch.context() as patched:
        patched.setattr(package, "rebuild", rebuild)
        take_on(changes)
    assert sys.modules["a"].LIMIT == 2
    report = take_on(changes)
    assert report.rebuilt, report
    assert sys.modules["a"].LIMIT == 3


def test_what_is_imported_later_has_not_changed(project, changes):
    project.write(c="X = 1\n")
    project.load("c")
    assert changes.find() == []
    project.write(c="X = 2\n")
    assert list(take_on(changes).rebuilt) == ["c"]


def test_what_is_installed_counts_as_well_and_the_standard_library_and_torsion_do_not(project, monkeypatch, changes):
    folder = project.folder / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    (folder / "thing.py").write_text("X = 1\n")
    project.date(folder / "thing.py")
    project.load("thing")
    changes.note()
    assert "thing" not in {each.__name__ for each in usersModules()}
    assert {"a", "b"} <= {each.__name__ for each in usersModules()}
    names = {name for name, _, _ in changes_module._modules()}
    assert {"thing", "torsion.internet.defer"} <= names
    assert not names & {"os", "json", "sys", "__main__"}
    (folder / "thing.py").write_text("X = 2  # longer\n")
    assert list(take_on(changes).rebuilt) == ["thing"]


def test_torsion_itself_is_not_exchanged(project, changes, monkeypatch):
    monkeypatch.setattr(changes_module, "_TORSION", f"{project.folder}{os.sep}")
    project.write(a="LIMIT = 9\n")
    [trouble] = take_on(changes).notUpdated
    assert str(trouble) == (
        "torsion: torsion itself is not exchanged while it runs; a restart uses the new one; changed modules: 1"
    )
    assert sys.modules["a"].LIMIT == 1


# --- the file of -y -------------------------------------------------------------------------------------------------------

FILE = "def answer():\n    return {}\n\n\napplication = [{}]\n"


@pytest.fixture
def application(project):
    path = project.folder / "server.tac"
    path.write_text(FILE.format(1, 1))
    project.date(path)
    changes = Changes()
    module = load(path)
    changes.note()
    return path, changes, module


def test_the_file_of_y_is_rebuilt_and_its_application_stays(project, application):
    path, changes, module = application
    running, answer = module.application, module.answer
    path.write_text(FILE.format(2, 1))
    project.date(path)
    report = take_on(changes)
    assert report.rebuilt == {NAME: ["answer"]}
    assert report.complete
    assert answer() == 2
    assert module.application is running


def test_of_its_variables_plain_ones_are_renewed_and_others_stay(project, application):
    path, changes, _ = application
    path.write_text("A = 1, 'x'\nB = {1: 2}\nC = object()\nimport json as d\n\n\nclass E:\n    pass\n")
    project.date(path)
    module = load(path)
    changes.note()
    changes.statements = None
    before = dict(vars(module))
    path.write_text("A = 2, 'y'\nB = {3: 4}\nC = object()\nimport os as d\n\n\nclass E:\n    x = 1\n")
    project.date(path)
    take_on(changes)
    assert module.A == (2, "y")
    assert module.B == {1: 2}
    assert module.C is before["C"]
    assert module.d is os
    assert module.E is before["E"]
    assert module.E.x == 1


def test_that_it_makes_something_else_is_told(project, application):
    path, changes, module = application
    running = module.application
    path.write_text(FILE.format(1, 2))
    project.date(path)
    report = take_on(changes)
    assert [each.what for each in report.notUpdated] == ["application"]
    assert module.application is running


def test_a_file_of_y_that_fails_is_no_module(project):
    path = project.folder / "bad.tac"
    path.write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load(path)
    assert NAME not in sys.modules


def test_nothing_is_written_beside_it(project, application, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path, _, _ = application
    load(path)
    assert [each.name for each in project.folder.iterdir()] == ["server.tac"]


# --- sources --------------------------------------------------------------------------------------------------------------


Module = ModuleType("shop.till.drawer")


def test_what_a_module_imports():
    source = """
import os.path, json as j
from . import keys
from ..stock import shelf
from shop import *
if True:
    from sys import path
try:
    import fast
except ImportError:
    pass
class C:
    import within
def later():
    import late
"""
    assert imported(source, Module) == {
        "os.path", "json", "shop.till", "shop.till.keys", "shop.stock", "shop.stock.shelf", "shop", "shop.*", "sys", "sys.path",
        "fast", "within",
    }  # fmt: skip  # a name is a name
    assert imported("x =", Module) == set()


def test_what_it_takes_from_another():
    source = "from a import x, y as z\nfrom b import w\nfrom a import *\n"
    assert copied(source, Module, "a") == ({"x": "x", "z": "y"}, True)
    assert copied(source, Module, "b") == ({"w": "w"}, False)
    assert copied(source, Module, "c") == ({}, False)


def test_what_it_does():
    source = "import a\ndef f():\n    return 1\nclass C:\n    x = 1\nrun(f)\n"
    same = "import b\n\nclass C:\n    x = 2\ndef f():\n    return 2\nrun( f )  # a comment\n"
    assert statements(source) == statements(same)
    assert statements(source) != statements(source + "run(f)\n")
    assert statements("x =") is None


def test_copies_with_a_star_are_renewed(project):
    project.write(a="X = 'one'\n_Y = 'one'\n", b="from a import *\n", c="X = 'one'\n")
    changes = Changes()
    project.load("b", "c")
    changes.note()
    project.write(a="X = 'two'\n_Y = 'two'\n")
    assert take_on(changes).rebuilt == {"a": ["X", "_Y", "X in b"]}
    assert sys.modules["b"].X == "two"
    assert sys.modules["c"].X == "one"  # it is its own, though it was the same
