"""``torsion port``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from torsion.__main__ import main

PROJECT = {
    "app/__init__.py": "from twisted.internet import defer, wxreactor\n",
    "app/old.py": "import twisted\nprint 'x'\n",
    "app/clean.py": "x = 1\n",
    "app/web.py": "from twisted.internet import reactor\r\nfrom twisted.names import server  # é\r\nserver.Site\r\nx = 'twisted.names.server.Site'",
    "pyproject.toml": '[project]\ndependencies = [\n  "Twisted[tls]>=24",\n]\n',
    "twisted/plugins/p.py": "x = 1\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(root: Path) -> dict[str, str]:
    return {name: (root / name).read_bytes().decode() for name in PROJECT}


REPORT = """\
Names that torsion does not have, which stay Twisted's; both are then in one process (docs/twisted.md, Mixing):
  not built yet; use Twisted's
    twisted.names.server  app/web.py:2
  torsion.internet.reactors.hosted, beside whose drivers another one is easily written
    twisted.internet.wxreactor  app/__init__.py:1
To be looked at:
  app/web.py:4: the text 'twisted.names.server.Site' stays as it is
  twisted/plugins/p.py:1: a plugin of Twisted's: plugins are found by entry points (group torsion.plugins), or in torsion/plugins
Dependencies, to be changed by hand (torsion[tls] where TLS is used):
  pyproject.toml:3: "Twisted[tls]>=24",
Left alone:
  app/old.py: is no Python that this interpreter reads: Missing parentheses in call to 'print'. Did you mean print(...)?, line 2
"""


def test_it_shows_what_it_would_do_and_does_nothing(project, capsys) -> None:
    assert main(["port", "."]) == 1
    said = capsys.readouterr().out
    assert contents(project) == PROJECT
    assert said.startswith("--- a/app/__init__.py\n+++ b/app/__init__.py\n@@ -1 +1,2 @@\n")
    report = said[said.index("Names that") :]
    assert (
        report
        == REPORT
        + "4 modules read; 2 in 2 places would be changed (--write does it); 2 names missing in 2 places; 1 file left alone.\n"
    )


def test_what_it_does(project, capsys) -> None:
    assert main(["port", "--write", "."]) == 1
    assert capsys.readouterr().out.replace("app/__init__.py:1", "app/__init__.py:1") == (
        REPORT + "4 modules read; 2 in 2 places were changed; 2 names missing in 2 places; 1 file left alone.\n"
    )
    assert contents(project) == PROJECT | {
        "app/__init__.py": "from torsion.internet import defer\nfrom twisted.internet import wxreactor\n",
        "app/web.py": PROJECT["app/web.py"].replace("twisted.internet", "torsion.internet"),
    }
    capsys.readouterr()
    assert main(["port", "--write", "--no-diff", "."]) == 1
    assert "4 modules read; nothing to be changed; 2 names missing" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
def test_what_it_shows_can_be_applied(project, capsys) -> None:
    main(["port", "app"])
    said = capsys.readouterr().out
    subprocess.run(
        ["patch", "--binary", "-p1"],
        input=said[: said.index("Names that")].encode(),
        check=True,
        capture_output=True,
        timeout=30,
    )
    by_hand = contents(project)
    for name, text in PROJECT.items():
        (project / name).write_bytes(text.encode())
    main(["port", "--write", "app"])
    assert by_hand == contents(project)


def test_nothing_to_do(project, capsys) -> None:
    assert main(["port", "app/clean.py"]) == 0
    assert capsys.readouterr().out == "1 module read; nothing to be changed.\n"


def test_all_done(project, capsys) -> None:
    (project / "app" / "clean.py").write_text("from twisted.internet import defer\n")
    assert main(["port", "--no-diff", "app/clean.py"]) == 1
    assert capsys.readouterr().out == "1 module read; 1 in 1 place would be changed (--write does it).\n"
    assert main(["port", "--write", "app/clean.py"]) == 0


def test_bad_usage(project, capsys) -> None:
    assert main(["port", "app", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    for arguments in ([], [""], ["app", ""]):
        assert main(["port", "--write", *arguments]) == 2
    assert "a path is empty; this folder is called ." in capsys.readouterr().err
    assert main(["port", "--write", os.devnull]) == 2
    assert f"{os.devnull} is neither a file nor a folder" in capsys.readouterr().err
    assert contents(project) == PROJECT


def test_what_is_left_for_hands_counts_as_something_to_do(project, capsys) -> None:
    (project / "app" / "clean.py").write_text("import twisted.internet.defer\ntwisted = 1\n")
    assert main(["port", "app/clean.py"]) == 1
    assert capsys.readouterr().out == (
        "To be changed by hand:\n"
        "  app/clean.py:1: twisted is also the name of something else here\n"
        "1 module read; nothing to be changed; 1 place left for hands.\n"
    )


def test_a_reader_that_goes_away_is_no_trouble(project) -> None:
    (project / "app" / "many.py").write_text("from twisted.internet import defer\n" * 20000)
    command = [sys.executable, "-m", "torsion", "port", "app"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(timeout=30) == 1
        assert running.stderr.read() == b""


APPLICATION = """\
import twisted.internet.error
from twisted.internet import defer, endpoints, protocol, task
from twisted.protocols import basic
from twisted.python import log


class Echo(basic.LineReceiver):
    def lineReceived(self, line):
        self.sendLine(line.upper())


class Asks(basic.LineReceiver):
    def __init__(self):
        self.answer, self.gone = defer.Deferred(), defer.Deferred()

    def lineReceived(self, line):
        self.answer.callback(line)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        self.gone.errback(reason)


@defer.inlineCallbacks
def main(reactor):
    server = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    port = yield server.listen(protocol.Factory.forProtocol(Echo))
    client = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    asks = yield endpoints.connectProtocol(client, Asks())
    asks.sendLine(b"hello")
    print((yield asks.answer).decode())
    try:
        yield asks.gone
    except twisted.internet.error.ConnectionDone:
        print("done, by", twisted.internet.error.ConnectionDone.__module__)
    yield port.stopListening()


if __name__ == "__main__":
    task.react(main)
"""


def test_a_ported_program_runs(tmp_path, capsys) -> None:
    path = tmp_path / "application.py"
    path.write_text(APPLICATION)
    assert main(["port", "--write", str(path)]) == 0, capsys.readouterr().out
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout == "HELLO\ndone, by torsion.internet.error\n", done.stderr
