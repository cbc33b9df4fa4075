"""Resources that are Python files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from torsion.logger import capturedLogs
from torsion.web.resource import Resource
from torsion.web.script import (
    PythonScript,
    ResourceScript,
    ResourceScriptDirectory,
    ResourceScriptWrapper,
    noRsrc,
)
from unit.web.talk import Talk

HELLO = """
from torsion.web.resource import Resource

class Hello(Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"hello from " + __file__.rpartition("/")[2].encode()

resource = Hello()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scripts = tmp_path / "scripts"
    (scripts / "deep").mkdir(parents=True)
    (scripts / "hello.rpy").write_text(HELLO)
    (scripts / "deep" / "below.rpy").write_text(HELLO)
    (scripts / "none.rpy").write_text("x = 1\n")
    (scripts / "fails.rpy").write_text("1 / 0\n")
    (tmp_path / "secret.rpy").write_text(HELLO)
    return scripts


@pytest.mark.parametrize(
    ("target", "code", "body"),
    [
        ("/hello.rpy", 200, b"hello from hello.rpy"),
        ("/deep/below.rpy", 200, b"hello from below.rpy"),
        ("/nothing.rpy", 404, b"No luck"),
        ("/", 404, b"No luck"),
        ("/deep", 404, b"No luck"),
        ("/none.rpy", 500, b'The variable "resource"'),
        ("/..%2Fsecret.rpy", 404, b"No luck"),
        ("/../secret.rpy", 404, b"No luck"),
        ("/%2Fetc/passwd", 404, b"No luck"),
        ("/a%00b", 404, b"No luck"),
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_folder_of_scripts(folder: Path, target: str, code: int, body: bytes, as_bytes: bool) -> None:
    path: Any = os.fsencode(folder) if as_bytes else str(folder)
    answer = Talk(ResourceScriptDirectory(path)).ask(target)
    assert answer.code == code
    assert body in answer.body


def test_a_script_that_fails(folder: Path, flush_errors: Any) -> None:
    assert Talk(ResourceScriptDirectory(str(folder))).ask("/fails.rpy").code == 500
    flush_errors(ZeroDivisionError)


def test_a_script_as_a_resource(folder: Path) -> None:
    root = Resource()
    root.putChild(b"here", ResourceScriptWrapper(str(folder / "hello.rpy")))
    assert Talk(root).ask("/here").body == b"hello from hello.rpy"


def test_what_is_below_a_script(folder: Path) -> None:
    (folder / "tree.rpy").write_text(
        "from torsion.web.resource import Resource\n"
        "from torsion.web.pages import errorPage\n"
        "resource = Resource()\nresource.putChild(b'a', errorPage(418, 'tea', 'pot'))\n"
    )
    root = Resource()
    root.putChild(b"here", ResourceScriptWrapper(str(folder / "tree.rpy")))
    assert Talk(root).ask("/here/a").code == 418


def test_a_script_is_run_each_time_unless_it_says_otherwise(folder: Path) -> None:
    counting = folder / "counting.rpy"
    runs = folder / "runs"
    counting.write_text(
        f"with open({str(runs)!r}, 'a') as file:\n    file.write('x')\nfrom torsion.web.resource import Resource\nresource = Resource()\n"
    )
    site = ResourceScriptDirectory(str(folder))
    first = site.getChild(b"counting.rpy", None)
    assert site.getChild(b"counting.rpy", None) is not first
    assert runs.read_text() == "xx"
    counting.write_text("cache()\n" + counting.read_text())
    kept = site.getChild(b"counting.rpy", None)
    assert site.getChild(b"counting.rpy", None) is kept
    assert runs.read_text() == "xxx"
    os.utime(counting, (1, 1))
    assert site.getChild(b"counting.rpy", None) is not kept, "the file has changed"
    counting.write_text(counting.read_text().replace("cache()", "recache()"))
    again = site.getChild(b"counting.rpy", None)
    assert site.getChild(b"counting.rpy", None) is not again


def test_what_leaves_nothing_behind_is_not_kept(folder: Path) -> None:
    (folder / "none.rpy").write_text("cache()\n")
    kept: list[Any] = []

    class Registry:
        def getCachedPath(self, path: str) -> None:
            return None

        def cachePath(self, path: str, resource: Any) -> None:
            kept.append(path)

    assert ResourceScript(str(folder / "none.rpy"), Registry()) is noRsrc
    assert kept == []


def test_a_script_that_answers_itself(folder: Path) -> None:
    (folder / "own.epy").write_text("request.write(b'by ' + request.method)\n")
    answer = Talk(PythonScript(str(folder / "own.epy"), None)).ask()
    assert answer.body == b"by GET"


def test_one_that_is_not_there(folder: Path) -> None:
    assert Talk(PythonScript(os.fsencode(folder / "gone.epy"), None)).ask().code == 404


@pytest.mark.parametrize("source", ["raise KeyError('secret')", "open('/gone/secret')", "not python secret"])
def test_one_that_fails(folder: Path, source: str) -> None:
    (folder / "own.epy").write_text(source)
    talk = Talk(PythonScript(str(folder / "own.epy"), None))
    with capturedLogs() as events:
        answer = talk.ask()
        talk.site.displayTracebacks = True
        shown = talk.ask()
    assert b"secret" not in answer.body
    assert b"secret" in shown.body
    assert all("secret" in event["traceback"] for event in events)
    assert len(events) == 2
