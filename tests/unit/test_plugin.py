"""Plugins: modules dropped into packages, and entry points of distributions that are laid out on ``sys.path`` as pip does."""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from zope.interface import Interface, implementer

from torsion.logger import globalLogPublisher
from torsion.plugin import IPlugin, getCache, getPlugIns, getPlugins, pluginPackagePaths


class ITea(Interface):
    """What the plugins here are for."""


class IMilk(Interface):
    """What others would be for."""


class Leaves:
    """Can be adapted to ``ITea``."""


@implementer(ITea)
class Brewed:
    def __init__(self, leaves):
        if getattr(leaves, "mouldy", False):
            raise ValueError("mouldy")
        self.leaves = leaves


HEAD = f"""
from zope.interface import implementer
from torsion.plugin import IPlugin
from {__name__} import IMilk, ITea, Leaves

@implementer(IPlugin, ITea)
class Tea:
    def __init__(self, name):
        self.name = name
"""


class Place:
    """A folder on ``sys.path`` with packages and distributions in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def package(self, name: str) -> ModuleType:
        self.write(f"{name.replace('.', '/')}/__init__.py", "")
        return importlib.import_module(name)

    def distribution(self, name: str, points: str) -> None:
        self.write(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        self.write(f"{name}-1.0.dist-info/entry_points.txt", points)


@pytest.fixture
def make_place(tmp_path, monkeypatch):
    modules = dict(sys.modules)

    def make(name):
        root = tmp_path / name
        root.mkdir()
        monkeypatch.syspath_prepend(str(root))
        return Place(root)

    yield make
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]
    for name in "plugins", "torsion.plugins":
        sys.modules.pop(name, None)
    vars(sys.modules["torsion"]).pop("plugins", None)


@pytest.fixture
def place(make_place):
    return make_place("place")


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def names(package=None, interface=ITea):
    return [plugin.name for plugin in getPlugins(interface, package)]


class TestDropIns:
    def test_those_that_provide_the_interface(self, place):
        package = place.package("pot")
        place.write("pot/green.py", HEAD + 'a, b = Tea("a"), Tea("b")\nother = b\n')
        place.write(
            "pot/black.py", HEAD + "@implementer(ITea)\nclass NoPlugin: pass\nnot_one = NoPlugin()\nc = Tea('c')\n"
        )
        assert sorted(names(package)) == ["a", "b", "c"]
        assert names(package, IMilk) == []

    def test_in_the_default_package(self, place):
        place.write("torsion/plugins/unit_green.py", HEAD + 'a = Tea("default")\n')
        assert names() == ["default"]

    def test_the_default_package_is_spread_over_the_path(self, make_place):
        for name in "first", "second":
            make_place(name).write(f"torsion/plugins/unit_{name}.py", HEAD + f'a = Tea("{name}")\n')
        assert sorted(names()) == ["first", "second"]

    def test_what_comes_and_goes_is_noticed(self, place):
        package = place.package("pot")
        assert names(package) == []
        path = place.write("pot/green.py", HEAD + 'a = Tea("a")\n')
        assert names(package) == ["a"]
        path.unlink()
        assert names(package) == []

    def test_classes_and_modules_may_be_plugins(self, place):
        package = place.package("pot")
        place.write(
            "pot/green.py",
            HEAD + "from zope.interface import provider\n@provider(IPlugin, ITea)\nclass Kind:\n    name = 'kind'\n",
        )
        assert names(package) == ["kind"]

    def test_places_that_are_not_there(self, place, tmp_path):
        package = place.package("pot")
        (tmp_path / "file").touch()
        package.__path__ += [str(tmp_path / "nowhere"), str(tmp_path / "file" / "below")]
        place.write("pot/green.py", HEAD + 'a = Tea("a")\n')
        assert names(package) == ["a"]

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("1 / 0", ZeroDivisionError),
            ("import no_such_module_at_all", ImportError),
            ("this is no Python", SyntaxError),
            ("raise SystemExit(3)", SystemExit),
        ],
    )
    def test_a_broken_one_is_told_and_left_out(self, place, logged, text, kind):
        package = place.package("pot")
        place.write("pot/broken.py", text)
        place.write("pot/green.py", HEAD + 'a = Tea("a")\n')
        assert names(package) == ["a"]
        [event] = logged
        assert event["log_failure"].check(kind)
        assert event["where"] == "pot.broken"

    def test_what_refuses_to_be_looked_at_is_told_and_left_out(self, place, logged):
        package = place.package("pot")
        proxy = "class Proxy:\n    def __getattr__(self, name):\n        raise RuntimeError('no context')\n\nproxy = Proxy()\n"
        place.write("pot/green.py", HEAD + proxy + 'a = Tea("a")\n')
        assert names(package) == ["a"]
        [event] = logged
        assert event["log_failure"].check(RuntimeError)
        assert (event["name"], event["where"]) == ("proxy", "pot.green")

    def test_nothing_is_written(self, place, monkeypatch):
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        package = place.package("pot")
        place.write("pot/green.py", HEAD + 'a = Tea("a")\n')
        before = sorted(place.root.rglob("*"))
        assert names(package) == ["a"]
        assert sorted(place.root.rglob("*")) == before

    def test_adapted(self, place, logged):
        from zope.interface.adapter import AdapterRegistry
        from zope.interface.interface import adapter_hooks

        registry = AdapterRegistry()
        registry.register([IPlugin], ITea, "", Brewed)
        hook = lambda provided, thing: registry.queryAdapter(thing, provided)
        package = place.package("pot")
        place.write(
            "pot/green.py",
            HEAD
            + "@implementer(IPlugin)\nclass Dried(Leaves): pass\ngood, bad = Dried(), Dried()\nbad.mouldy = True\n",
        )
        adapter_hooks.append(hook)
        try:
            [found] = getPlugins(ITea, package)
        finally:
            adapter_hooks.remove(hook)
        assert type(found) is Brewed
        [event] = logged
        assert event["log_failure"].check(ValueError)
        assert (event["where"], event["interface"]) == ("pot.green", "ITea")

    def test_a_plugin_package_that_cannot_be_imported(self, place, logged):
        place.write("torsion/plugins/x.py", "")
        sys.modules["torsion.plugins"] = None  # as for one that is blocked
        assert names() == []
        assert logged[0]["log_failure"].check(ImportError)


class TestEntryPoints:
    def test_an_object(self, place):
        place.write("maker.py", HEAD + 'tea = Tea("point")\n')
        place.distribution("maker", "[torsion.plugins]\nITea.one = maker:tea\n")
        assert names() == ["point"]

    def test_by_the_interfaces_full_name(self, place):
        place.write("maker.py", HEAD + 'tea = Tea("point")\n')
        place.distribution("maker", f"[torsion.plugins]\n{ITea.__identifier__}.one = maker:tea\n")
        assert names() == ["point"]

    def test_a_module_of_them(self, place):
        place.write("maker.py", HEAD + 'a, b = Tea("a"), Tea("b")\n')
        place.distribution("maker", "[torsion.plugins]\nITea.all = maker\n")
        assert names() == ["a", "b"]

    def test_what_is_for_another_interface_is_not_imported(self, place, logged):
        place.distribution("maker", "[torsion.plugins]\nIMilk.one = no_such_maker:milk\n")
        assert names() == []
        assert logged == []

    def test_without_an_interface_it_is_for_all(self, place):
        place.write("maker.py", HEAD + 'tea = Tea("any")\n')
        place.distribution("maker", "[torsion.plugins]\nanything = maker:tea\n")
        assert names() == ["any"]
        assert names(None, IMilk) == []

    def test_come_before_drop_ins_and_once(self, place):
        place.write("maker.py", HEAD + 'tea = Tea("point")\n')
        place.distribution("maker", "[torsion.plugins]\nITea.one = maker:tea\nITea.two = maker:tea\n")
        place.write("torsion/plugins/unit_x.py", HEAD + 'from maker import tea\nlater = Tea("drop-in")\n')
        assert names() == ["point", "drop-in"]

    def test_of_another_package(self, place):
        package = place.package("pot")
        place.write("maker.py", HEAD + 'tea = Tea("pot\'s")\n')
        place.distribution("maker", "[pot]\nITea.one = maker:tea\n")
        assert names() == []
        assert names(package) == ["pot's"]

    @pytest.mark.parametrize(
        ("value", "kind"),
        [("no_such_maker:tea", ImportError), ("maker:coffee", AttributeError), ("maker:1/0", Exception)],
    )
    def test_a_broken_one_is_told_and_left_out(self, place, logged, value, kind):
        place.write("maker.py", HEAD + 'tea = Tea("point")\n')
        place.distribution("maker", f"[torsion.plugins]\nITea.bad = {value}\nITea.good = maker:tea\n")
        assert names() == ["point"]
        [event] = logged
        assert event["log_failure"].check(kind)
        assert all(word in event["where"] for word in ("ITea.bad", value, "'maker'"))


class TestPaths:
    def test_every_place_but_packages(self, tmp_path, monkeypatch):
        package = tmp_path / "package" / "pot" / "plugins"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        folder = tmp_path / "folder" / "pot" / "plugins"
        folder.mkdir(parents=True)
        monkeypatch.setattr(sys, "path", [str(tmp_path / each) for each in ("package", "folder", "nowhere")])
        assert pluginPackagePaths("pot.plugins") == [str(folder), str(tmp_path / "nowhere" / "pot" / "plugins")]

    def test_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [""])
        assert pluginPackagePaths("pot") == [str(tmp_path / "pot")]


class TestGetCache:
    def test_tells_of_all(self, place):
        package = place.package("pot")
        place.write("pot/green.py", '"""Green ones."""\n' + HEAD + 'a = Tea("a")\na.__doc__ = "A tea."\nb = 1\n')
        place.write("pot/empty.py", "")
        found = getCache(package)
        assert sorted(found) == ["empty", "green"]
        assert found["empty"].plugins == []
        dropin = found["green"]
        assert (dropin.moduleName, dropin.description) == ("pot.green", "Green ones.")
        [plugin] = dropin.plugins
        assert (plugin.dropin, plugin.name, plugin.description) == (dropin, "a", "A tea.")
        assert plugin.provided == [IPlugin, ITea]
        assert plugin.load().name == "a"
        assert ITea(plugin) is plugin.load()
        assert IMilk(plugin, None) is None
        assert plugin.getComponent(IMilk, default=3) == 3
        assert repr(plugin) == "<CachedPlugin 'a'/'pot.green' (provides 'IPlugin, ITea')>"

    def test_leaves_out_what_is_broken(self, place, logged):
        package = place.package("pot")
        place.write("pot/broken.py", "1 / 0")
        assert getCache(package) == {}
        assert [event["where"] for event in logged if "log_failure" in event] == ["pot.broken"]

    def test_writes_nothing(self, place):
        package = place.package("pot")
        place.write("pot/green.py", HEAD)
        getCache(package)
        list(getPlugins(ITea, package))
        written = {path.name for path in (place.root / "pot").iterdir()} - {"__pycache__"}  # which is Python's own
        assert written == {"__init__.py", "green.py"}


def test_the_old_name():
    assert getPlugIns is getPlugins
