"""A site with something for each kind of client: `with site(folder) as server`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interop.web.served import Server, serving

SITE = """
import hashlib, json, sys
from torsion.internet import reactor
from torsion.internet.endpoints import serverFromString
from torsion.logger import FilteringLogObserver, LogLevel, LogLevelFilterPredicate, globalLogBeginner, textFileLogObserver
from torsion.web import resource, server, static

class Hello(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        request.setHeader(b"content-type", b"text/plain")
        return b"hello"

class Body(resource.Resource):
    "Tells of a body that it reads as it comes."
    isLeaf = streamsBody = True
    async def render_PUT(self, request):
        digest, size = hashlib.sha256(), 0
        async for part in request.streamBody():
            digest.update(part)
            size += len(part)
        return json.dumps([size, digest.hexdigest(), request.getHeader("transfer-encoding")]).encode()

class Form(resource.Resource):
    isLeaf = True
    def render_POST(self, request):
        request.setHeader(b"content-type", b"application/json")
        fields = {name.decode(): [len(value) if len(value) > 99 else value.decode() for value in values]
                  for name, values in request.args.items()}
        return json.dumps(fields).encode()

class Stream(resource.Resource):
    isLeaf = True
    async def render_GET(self, request):
        async def parts():
            for number in range(300):
                yield b"%d " % number * 200
        return parts()

class Who(resource.Resource):
    "Tells who asks, over which connection."
    isLeaf = True
    def render_GET(self, request):
        address = request.getClientAddress()
        seen = {"client": address.host, "port": address.port, "forwarded": request.getHeader("x-forwarded-for"), "host": request.getHeader("host"),
                "local": request.getHost().port}
        return json.dumps(seen).encode()

class Wait(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        request.write(b"begun")
        request.notifyFinish().addErrback(lambda reason: print("left", flush=True))
        return server.NOT_DONE_YET

class Cookies(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        session = request.getSession()
        session.visits = getattr(session, "visits", 0) + 1
        return b"%d" % session.visits

root = resource.Resource()
for name, child in {"": Hello(), "body": Body(), "form": Form(), "stream": Stream(), "who": Who(), "wait": Wait(), "visits": Cookies()}.items():
    root.putChild(name.encode(), child)
folder = static.File(FOLDER)
root.putChild(b"files", folder)
site = server.Site(root)
site.streamsBodies = True

def listening(port):
    print(port.getHost().port, flush=True)

def failed(reason):
    reason.printTraceback()
    reactor.stop()

failures = FilteringLogObserver(textFileLogObserver(sys.stderr), [LogLevelFilterPredicate(LogLevel.warn)])  # nobody reads more
globalLogBeginner.beginLoggingTo([failures], redirectStandardIO=False)
serverFromString(reactor, ENDPOINT).listen(site).addCallbacks(listening, failed)
reactor.run()
"""


@contextmanager
def site(folder: Path, endpoint: str = "tcp:0:interface=127.0.0.1") -> Iterator[Server]:
    """Serve *folder* below ``/files/``, and the rest beside it, at an endpoint."""
    with serving(f"FOLDER = {str(folder)!r}\nENDPOINT = {endpoint!r}\n{SITE}") as server:
        yield server
