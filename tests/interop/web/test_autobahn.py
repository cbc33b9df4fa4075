"""Autobahn's suite of cases for WebSockets, at our server and at our client, where its program ``wstest`` is found.

It needs Python 2.7: ``virtualenv -p python2.7 folder; folder/bin/pip install autobahntestsuite``, and ``folder/bin`` in PATH.
Groups 1 to 7, and some of 12 and 13, take a minute; ``TORSION_AUTOBAHN=all`` is for all of them, and takes an hour.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("wsproto")

WSTEST = shutil.which("wstest")
pytestmark = [
    pytest.mark.skipif(WSTEST is None, reason="wstest, of Autobahn's suite, is not installed"),
    pytest.mark.timeout(7200),
]

ALL = os.environ.get("TORSION_AUTOBAHN") == "all"
CASES = ["*"] if ALL else [*[f"{group}.*" for group in range(1, 8)], "10.*", "12.1.1", "12.2.3", "13.3.2", "13.7.5"]

SERVER = """
from torsion.internet import reactor
from torsion.web.server import Site
from torsion.web.websocket import Settings, WebSocketResource

async def echo(socket):
    async for message in socket:
        await socket.send(message)

settings = Settings(maxMessageSize=32 << 20, maxFrames=None, pingInterval=None)
port = reactor.listenTCP(0, Site(WebSocketResource.of(echo, settings)), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""

CLIENT = """
import sys
from torsion.internet.task import deferLater, react
from torsion.internet.error import ConnectionRefusedError
from torsion.web.websocket import Settings, WebSocketBroken, connect

async def main(reactor):
    settings = Settings(maxMessageSize=32 << 20, maxFrames=None, pingInterval=None)

    async def talk(path):
        return await connect(sys.argv[1] + path, settings=settings)

    for _ in range(200):
        try:
            counting = await talk("/getCaseCount")
            break
        except ConnectionRefusedError:
            await deferLater(reactor, 0.1)
    count = int(await counting.receive())
    await counting.close()
    for case in range(1, count + 1):
        socket = await talk(f"/runCase?case={case}&agent=torsion")
        try:
            async for message in socket:
                await socket.send(message)
        except WebSocketBroken:
            pass
    await (await talk("/updateReports?agent=torsion")).whenClosed()
    print(count)

react(main)
"""


def judge(folder: Path) -> None:
    (cases,) = json.loads((folder / "index.json").read_text()).values()
    assert len(cases) > 200
    fine = {"OK", "INFORMATIONAL"}
    bad = {name: case for name, case in cases.items() if not {case["behavior"], case["behaviorClose"]} <= fine}
    assert not bad


def spec(folder: Path, **more: object) -> str:
    told = {"outdir": str(folder), "cases": CASES, "exclude-cases": [], "exclude-agent-cases": {}, **more}
    (folder / "spec.json").write_text(json.dumps(told))
    return str(folder / "spec.json")


def test_our_server(tmp_path: Path) -> None:
    assert WSTEST is not None
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"ws://127.0.0.1:{int(server.stdout.readline())}"
            where = spec(tmp_path, servers=[{"agent": "torsion", "url": url}])
            subprocess.run([WSTEST, "-m", "fuzzingclient", "-s", where], check=True, capture_output=True, cwd=tmp_path)
        finally:
            server.kill()
    judge(tmp_path)


def test_our_client(tmp_path: Path) -> None:
    assert WSTEST is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"ws://127.0.0.1:{free.getsockname()[1]}"
    command = [WSTEST, "-m", "fuzzingserver", "-u", "0", "-s", spec(tmp_path, url=url)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path) as server:
        try:
            subprocess.run([sys.executable, "-c", CLIENT, url], check=True, capture_output=True)
        finally:
            server.kill()
    judge(tmp_path)
