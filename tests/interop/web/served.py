"""Sites of other frameworks' applications, each in a process of its own."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WSGI = """
import sys
from torsion.internet import reactor
from torsion.logger import globalLogBeginner, textFileLogObserver
from torsion.web.server import Site
from torsion.web.wsgi import WSGIResource

{application}

globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
port = reactor.listenTCP(0, Site(WSGIResource(reactor, reactor.getThreadPool(), application)), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""

ASGI = """
import sys
{install}
from torsion.internet import reactor
from torsion.web.asgi import ASGIResource
from torsion.web.server import Site

{application}

site = Site(ASGIResource(application))
site.streamsBodies = True
port = reactor.listenTCP(0, site, interface="127.0.0.1")
reactor.callWhenRunning(lambda: print(port.getHost().port, flush=True))
reactor.run()
"""

HOSTED = "from torsion.internet.asyncioreactor import install\ninstall()"


class Server:
    """A program that serves an application on loopback."""

    def __init__(self, program: subprocess.Popen[str], port: int) -> None:
        self.program = program
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, target: str, method: str = "GET", body: Any = None, headers: Any = ()) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request(method, target, body, dict(headers), encode_chunked=False)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, target: str, method: str = "GET", value: Any = None) -> Any:
        data = None if value is None else json.dumps(value)
        status, body = self.ask(target, method, data, {"Content-Type": "application/json"})
        assert status == 200, body
        return json.loads(body)

    def stop(self) -> str:
        """Stop it as Ctrl-C does; return what it has printed since."""
        self.program.send_signal(2)
        out, _ = self.program.communicate(timeout=20)
        assert self.program.returncode == 0, out
        return out


@contextmanager
def serving(program: str) -> Iterator[Server]:
    running = subprocess.Popen(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert running.stdout is not None
        said: list[str] = []
        for line in running.stdout:
            said.append(line)
            if line.strip().isdigit():  # the log begins before
                break
        assert said, "it has said nothing"
        assert said[-1].strip().isdigit(), "".join(said)
        yield Server(running, int(said[-1]))
    finally:
        running.kill()
        running.communicate(timeout=10)
