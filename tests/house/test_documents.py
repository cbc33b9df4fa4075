"""The documents speak of what is there, and their examples run."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from house.tree import CRATES, PACKAGE, ROOT, shown

DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "rust" / "README.md",
        ROOT / "benches" / "README.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs" / "howto").glob("*.md"),
    ]
)
ARCHITECTURE = ROOT / "docs" / "architecture.md"
README = ROOT / "README.md"

# Where a name in a document may be looked for.
PLACES = [ROOT, PACKAGE, PACKAGE.parent, CRATES, ROOT / "benches", ROOT / ".github" / "workflows"]
FILE_NAME = re.compile(r"`((?:[\w.{},*-]+/)*[\w.{},*-]+\.(?:py|pyi|rs|toml|md|yml|txt|c|json))`")


def there(name: str) -> bool:
    """Return whether the file *name* is in one of the places; ``a/{b,c}.rs`` means both."""
    if found := re.search(r"\{([^}]*)\}", name):
        return all(there(name.replace(found[0], each, 1)) for each in found[1].split(","))
    return any(any(place.glob(name)) for place in PLACES)


@pytest.mark.parametrize("path", DOCUMENTS, ids=shown)
def test_every_file_named_exists(path: Path) -> None:
    assert [name for name in FILE_NAME.findall(path.read_text(encoding="utf-8")) if not there(name)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=shown)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_architecture_names_every_package_and_crate() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    packages = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"} - {
        "__init__",
        "__pycache__",
    }
    packages |= {path.stem for path in (PACKAGE / "internet").iterdir()} - {"__init__", "__pycache__"}
    crates = {f"torsion-{path.name}" for path in CRATES.iterdir() if (path / "Cargo.toml").exists()}
    assert {name for name in packages | crates if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)} == set()
    assert text.count("\n") <= 300


def floors(contract: str) -> list[list[str]]:
    """Return the layers of *contract* in pyproject.toml that have modules, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [layers] = [each["layers"] for each in settings["tool"]["importlinter"]["contracts"] if each["id"] == contract]
    built = [[name.strip() for name in layer.split("|") if "(" not in name] for layer in layers]
    return [layer for layer in built if layer]


@pytest.mark.parametrize(("contract", "heading"), [("floors", "| floor |"), ("internet-storeys", "| storey |")])
def test_the_architecture_draws_the_floors_as_they_are(contract: str, heading: str) -> None:
    table = ARCHITECTURE.read_text(encoding="utf-8").split(heading, 1)[1].split("\n\n", 1)[0]
    drawn = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert drawn == floors(contract)


def blocks(path: Path, language: str) -> list[str]:
    """Return the blocks of code in *path* that are marked as *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connected(port: int, server: subprocess.Popen[bytes]) -> socket.socket:
    """Connect to *server* as soon as it listens."""
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < until, "nobody listens"


@pytest.mark.skipif(sys.platform == "win32", reason="ends the server by SIGINT, which cannot be sent there")
@pytest.mark.parametrize(("number", "command"), [(0, []), (2, ["-m", "torsion", "-y"])], ids=["script", "service"])
def test_the_readme_s_echo_servers_echo(tmp_path: Path, number: int, command: list[str]) -> None:
    code = blocks(README, "python")[number]
    assert code.count("\n") <= 15
    port = free_port()
    script = tmp_path / "echo.py"
    script.write_text(code.replace("7000", f"{port}:interface=127.0.0.1"), encoding="utf-8")
    with subprocess.Popen([sys.executable, *command, str(script)]) as server:
        try:
            with connected(port, server) as client, client.makefile("rb") as answers:
                client.sendall(b"is anyone there?\n")
                assert answers.readline() == b"is anyone there?\n"
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=20) == 0
        finally:
            server.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="ends the server by SIGINT, which cannot be sent there")
def test_the_readme_s_web_server_answers(tmp_path: Path) -> None:
    port = free_port()
    script = tmp_path / "hello.py"
    script.write_text(blocks(README, "python")[1].replace("7000", f"{port}:interface=127.0.0.1"), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)]) as server:
        try:
            with connected(port, server) as client, client.makefile("rb") as answers:
                client.sendall(b"GET /?name=you HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                assert answers.read().endswith(b"\r\n\r\nHello, you\n")
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=20) == 0
        finally:
            server.kill()


def test_the_readme_has_the_commands_that_the_checks_run() -> None:
    text = README.read_text(encoding="utf-8")
    for name in ("serve", "talk", "test"):
        assert re.search(rf"^<!-- command: {name} -->\n```sh\n[^\n]+\n```$", text, re.MULTILINE)
