"""What the options of the log ask for; where it goes is tried in tests/operating."""

from __future__ import annotations

import sys
import types

import pytest

from torsion.application.runner.logs import Logs
from torsion.application.runner.run import Run
from torsion.logger import LogLevel
from torsion.python.usage import UsageError

OPTIONS = {"syslog": 0, "daemon": 0, "prefix": "torsion", "logLevel": LogLevel.info}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"syslog": 1, "logfile": "x"}, "--syslog and --logfile"),
        ({"syslog": 1, "logFormat": "json"}, "--syslog and --log-format json"),
        ({"daemon": 1, "logfile": "+"}, "lets go of the terminal"),
    ],
)
def test_what_cannot_be(options, problem):
    with pytest.raises(UsageError, match=problem):
        Logs().check(Run(OPTIONS | options, []))


def test_a_system_without_a_log(monkeypatch):
    monkeypatch.setitem(sys.modules, "syslog", None)
    with pytest.raises(UsageError, match="has none"):
        Logs().check(Run(OPTIONS | {"syslog": 1}, []))


def test_the_log_of_the_system(monkeypatch):
    pytest.importorskip("torsion.logger.syslog", reason="there is no log of the system here")
    lines = []
    syslog = types.ModuleType("syslog")
    for number, name in enumerate(("LOG_PID", "LOG_NDELAY", "LOG_DAEMON", "LOG_USER", "LOG_INFO", "LOG_ALERT")):
        setattr(syslog, name, 1 << number)
    syslog.openlog = lambda *args: lines.append(args)
    syslog.syslog = lambda *args: lines.append(args)
    monkeypatch.setitem(sys.modules, "syslog", syslog)
    monkeypatch.delitem(sys.modules, "torsion.logger.syslog")
    run = Run(OPTIONS | {"syslog": 1, "prefix": "mine", "daemon": 1}, [])
    logs = Logs()
    logs.check(run)
    logs.fit(run)
    assert lines == [("mine", 1 | 2, 4)]
    logs._observer({"log_level": LogLevel.info, "log_format": "hello", "log_namespace": "x", "log_time": 0.0})
    assert lines[1:] == [(16, "[-] hello")]
    assert run.logFiles == []


def test_a_worker_says_all_to_its_master(tmp_path):
    run = Run(OPTIONS | {"logfile": str(tmp_path / "it.log")}, [])
    run.worker = "0:3"
    Logs().fit(run)
    assert list(tmp_path.iterdir()) == []
