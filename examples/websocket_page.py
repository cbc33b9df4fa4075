"""A page that talks over a WebSocket: ``python examples/websocket_page.py``, then http://localhost:8080/.  Ctrl-C ends it.

One tree of resources has both: the page at ``/``, and what it talks to at ``/echo``, which only this page may open.
"""

import sys
from pathlib import Path
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import serverFromString
from torsion.internet.task import react
from torsion.web.resource import Resource
from torsion.web.server import Site
from torsion.web.static import File
from torsion.web.websocket import Settings, WebSocket, WebSocketResource

PAGE = Path(__file__).with_suffix(".html")


async def echo(socket: WebSocket) -> None:
    async for message in socket:
        if message == "bye":
            await socket.close(1000, "bye")
        else:
            await socket.send(message)


async def main(reactor: Any, where: str = "tcp:8080:interface=127.0.0.1") -> None:
    root = Resource()
    port = await serverFromString(reactor, where).listen(Site(root))
    number = port.getHost().port
    origins = [f"http://localhost:{number}", f"http://127.0.0.1:{number}"]
    root.putChild(b"", File(str(PAGE)))
    root.putChild(b"echo", WebSocketResource.of(echo, Settings(subprotocols=("echo",)), origins=origins))
    print(f"look at http://127.0.0.1:{number}/", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
