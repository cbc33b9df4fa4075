"""A page that talks over a WebSocket: ``python examples/websocket_page.py``, then http://localhost:8080/.  Ctrl-C ends it.

One tree of resources has both: the page at ``/``, and what it talks to at ``/echo``, which only this page may open.
"""

import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import serverFromString
from torsion.internet.task import react
from torsion.web.resource import Resource
from torsion.web.server import Site
from torsion.web.static import Data
from torsion.web.websocket import Settings, WebSocket, WebSocketResource

PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Echo</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; min-width: 0; font: inherit; padding: .4rem .6rem; }
  button { font: inherit; padding: .4rem .8rem; }
  ol { list-style: none; padding: 0; overflow-wrap: anywhere; }
  li { padding: .3rem .6rem; margin: .3rem 0; border-radius: .4rem; background: color-mix(in srgb, CanvasText 7%, Canvas); }
  li.ours { margin-left: 4rem; background: color-mix(in srgb, LinkText 18%, Canvas); }
  #state { opacity: .75; }
</style>
<h1>Echo</h1>
<form><input aria-label="Message" placeholder="Say something" autofocus><button>Send</button><button type="button" id="bytes">Bytes</button></form>
<p id="state" role="status">connecting</p>
<ol aria-live="polite"></ol>
<script>
  const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[^/]*$/, "echo"), "echo");
  socket.binaryType = "arraybuffer";
  const [state, list, input] = ["#state", "ol", "input"].map(each => document.querySelector(each));
  const note = (text, kind) => {
    const item = document.createElement("li");
    item.textContent = text;
    item.className = kind;
    list.prepend(item);
  };
  const show = data => typeof data === "string" ? data : "bytes: " + Array.from(new Uint8Array(data)).join(" ");
  const say = data => { socket.send(data); note(show(data), "ours"); };
  socket.onopen = () => { state.textContent = "connected, " + socket.protocol; };
  socket.onmessage = event => note(show(event.data), "theirs");
  socket.onclose = event => { state.textContent = `closed: ${event.code} ${event.reason}`; };
  document.forms[0].onsubmit = event => { event.preventDefault(); if (input.value) say(input.value); input.value = ""; };
  document.querySelector("#bytes").onclick = () => say(crypto.getRandomValues(new Uint8Array(8)).buffer);
</script>
"""


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
    root.putChild(b"", Data(PAGE, "text/html; charset=utf-8"))
    root.putChild(b"echo", WebSocketResource.of(echo, Settings(subprotocols=("echo",)), origins=origins))
    print(f"look at http://127.0.0.1:{number}/", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
