"""Options of commands that run services."""

from __future__ import annotations

import pytest

from torsion.application.service import ServiceMaker
from torsion.application.twist import _options
from torsion.application.twist._options import TwistOptions
from torsion.logger import LogLevel, jsonFileLogObserver, textFileLogObserver
from torsion.python.usage import Options, UsageError


@pytest.fixture
def options(monkeypatch):
    monkeypatch.setattr(_options, "installReactor", lambda name: {"fusion": "a reactor"}[name])
    return TwistOptions()


def test_reactors(options):
    options.opt_reactor("fusion")
    assert (options["reactorName"], options.reactor) == ("fusion", "a reactor")
    with pytest.raises(UsageError, match="coal"):
        options.opt_reactor("coal")
    options.subCommand = "echo"
    options.postOptions()
    assert options.reactor == "a reactor"


def test_levels(options):
    options.opt_log_level("warn")
    assert options["logLevel"] is LogLevel.warn
    with pytest.raises(UsageError, match="there are: debug, info"):
        options.opt_log_level("cheese")


def test_files(options, tmp_path, capsys):
    for name, stream in (("-", _options.stdout), ("+", _options.stderr)):
        options.opt_log_file(name)
        assert options["logFile"] is stream
    options.opt_log_file(str(tmp_path / "log"))
    with options["logFile"] as file:
        assert (file.name, file.mode) == (str(tmp_path / "log"), "a")
    with pytest.raises(SystemExit) as ended:
        options.opt_log_file(str(tmp_path))
    assert ended.value.code == 74
    assert f"Unable to open log file {str(tmp_path)!r}" in capsys.readouterr().err


def test_formats(options):
    options.opt_log_format("text")
    options.selectDefaultLogObserver()
    assert options["fileLogObserverFactory"] is textFileLogObserver
    with pytest.raises(UsageError, match="there are: text, json"):
        options.opt_log_format("xml")


@pytest.mark.parametrize(("terminal", "factory"), [(True, textFileLogObserver), (False, jsonFileLogObserver)])
def test_the_format_that_is_not_asked_for(options, terminal, factory):
    options["logFile"] = type("Stream", (), {"isatty": lambda self: terminal})()
    options.selectDefaultLogObserver()
    assert options["fileLogObserverFactory"] is factory


def test_commands(options):
    assert isinstance(options.plugins["echo"], ServiceMaker)
    commands = {name: make for name, _, make, _ in options.subCommands}
    assert set(commands) == set(options.plugins)
    assert isinstance(commands["echo"](), Options)
    with pytest.raises(UsageError, match="echo"):
        TwistOptions().postOptions()


def test_words(options, capsys):
    assert options.getSynopsis().endswith(" plugin [plugin_options]")
    with pytest.raises(SystemExit) as ended:
        options.opt_version()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{_options.__version__}\n"
