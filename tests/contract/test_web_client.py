"""The web's clients, with real servers, on every reactor."""

import gzip
import json
import threading
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest

from contract.harness import until
from torsion.internet.defer import ensureDeferred, gatherResults
from torsion.internet.endpoints import TCP4ServerEndpoint, clientFromString, wrapServerTLS
from torsion.internet.error import ConnectionRefusedError
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.ssl import trustRootFromCertificates
from torsion.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    FileBodyProducer,
    HTTPConnectionPool,
    ProxyAgent,
    RequestTimedOut,
    Timeouts,
    readBody,
)
from torsion.web.fetch import BodyTooLarge, Client, StatusError, fetch, here
from torsion.web.http import HTTPFactory, Request
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET, Site
from unit.internet.tls.kit import authority

LARGE = bytes(range(256)) * 4096 * 4


class Pages(Resource):
    """What the tests ask for."""

    isLeaf = True

    def render_GET(self, request):
        match request.path:
            case b"/large":
                return LARGE
            case b"/gzip":
                request.setHeader(b"content-encoding", b"gzip")
                return gzip.compress(LARGE)
            case b"/away":
                request.setResponseCode(302)
                request.setHeader(b"location", b"/echo?" + (request.getHeader(b"authorization") or b""))
                return b""
            case b"/silent":
                return NOT_DONE_YET
            case b"/missing":
                request.setResponseCode(404)
                return b"no"
            case b"/cookie":
                request.addCookie(b"seen", b"yes")
                return b""
        return self.render_POST(request)

    def render_POST(self, request):
        body = request.content.read()
        request.setHeader(b"content-type", b"application/json; charset=utf-8")
        names = ("host", "authorization", "cookie", "content-type", "user-agent", "x-y")
        headers = {name: request.getHeader(name) for name in names}
        said = {"uri": request.uri.decode(), "method": request.method.decode(), "length": len(body)}
        return json.dumps({**said, "body": body[:80].decode(), **headers}).encode()


@asynccontextmanager
async def serving(reactor, secure=None):
    """Yield the URL of a site."""
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    if secure is not None:
        endpoint = wrapServerTLS(secure.options(), endpoint)
    port = await endpoint.listen(Site(Pages(), reactor=reactor))
    try:
        yield f"{'http' if secure is None else 'https'}://127.0.0.1:{port.getHost().port}"
    finally:
        await port.stopListening()


def test_many_at_a_time_through_few_connections(reactor, run):
    async def scenario():
        async with serving(reactor) as url:
            pool = HTTPConnectionPool(reactor)
            pool.maxConnectionsPerHost = pool.maxPersistentPerHost = 4
            agent = Agent(reactor, pool=pool, timeouts=Timeouts())

            async def one(number):
                response = await agent.request(b"GET", f"{url}/{number}".encode())
                return json.loads(await readBody(response))["uri"]

            found = await gatherResults([ensureDeferred(one(number)) for number in range(50)])
            assert found == [f"/{number}" for number in range(50)]
            [kept] = pool._connections.values()
            assert len(kept) == 4
            response = await agent.request(b"POST", f"{url}/".encode(), None, FileBodyProducer(BytesIO(LARGE)))
            assert json.loads(await readBody(response))["length"] == len(LARGE)
            response = await agent.request(b"HEAD", f"{url}/large".encode())
            assert (response.length, await readBody(response)) == (len(LARGE), b"")
            await pool.closeCachedConnections()

    run(scenario)


def test_fetching(reactor, run):
    async def scenario():
        async with serving(reactor) as url, Client(reactor=reactor, headers={"X-Y": "z"}) as client:
            answer = await client.fetch(f"{url}/\N{SNOWMAN} a?b=c", params={"d": ["e", 1]})
            said = await answer.json()
            assert said["uri"] == "/%E2%98%83%20a?b=c&d=e&d=1"
            assert (said["method"], said["user-agent"], said["x-y"]) == ("GET", "torsion", "z")
            assert (answer.status, answer.ok, answer.encoding) == (200, True, "utf-8")
            text = await answer.text()
            assert (json.loads(text), answer.length) == (said, len(text))

            for sent, kind, body in (
                ({"json": {"a": "\N{SNOWMAN}"}}, "application/json", '{"a":"\N{SNOWMAN}"}'),
                ({"json": False}, "application/json", "false"),
                ({"form": {"a": ["b", "c d"]}}, "application/x-www-form-urlencoded", "a=b&a=c+d"),
                ({"body": "text"}, "text/plain; charset=utf-8", "text"),
                ({"body": b"bytes"}, None, "bytes"),
                ({"body": BytesIO(b"file")}, None, "file"),
                ({"body": [b"one", b"two"]}, None, "onetwo"),
            ):
                said = await (await client.fetch(url, **sent)).json()
                assert (said["method"], said["content-type"], said["body"]) == ("POST", kind, body)

            async def pieces():
                for number in range(16):
                    yield LARGE[number * 2**18 : (number + 1) * 2**18]

            assert (await client.fetch(url, "PUT", body=pieces())).status == 501
            said = await (await client.fetch(url, body=pieces())).json()
            assert said["length"] == len(LARGE)

            answer = await client.fetch(f"{url}/gzip")
            assert (answer.length, answer.headers.hasHeader(b"content-length")) == (None, False)
            assert await answer.read() == LARGE
            got = b""
            async for piece in await client.fetch(f"{url}/large"):
                got += piece
            assert got == LARGE
            async with await client.fetch(f"{url}/large") as answer:
                async for _piece in answer:
                    break
            with pytest.raises(BodyTooLarge):
                await (await client.fetch(f"{url}/large")).read(most=1000)
            with pytest.raises(StatusError, match="404"):
                (await client.fetch(f"{url}/missing")).raise_for_status()
            await client.fetch(f"{url}/cookie")
            assert (await (await client.fetch(url)).json())["cookie"] == "seen=yes"
            answer = await client.fetch(url.replace("//", "//me:it%27s@") + "/away")
            assert (await answer.json())["authorization"] == "Basic bWU6aXQncw=="
            assert answer.url == f"{url}/echo?Basic%20bWU6aXQncw=="
            assert (await client.fetch(f"{url}/away", redirects=0)).status == 302

    run(scenario)


def test_fetching_without_a_client(reactor, run):
    """Connections are kept, and cookies are not: one part of a program is not logged in because another one is."""

    async def scenario():
        async with serving(reactor) as url:
            assert (await fetch(f"{url}/cookie")).headers.hasHeader("set-cookie")
            assert (await (await fetch(url, json={})).json())["cookie"] is None
            client = here._clients.pop(reactor)
            [kept] = client._pool._connections.values()
            assert len(kept) == 1
            await client.close()

    run(scenario)


def test_what_cannot_be_fetched(reactor, run):
    async def scenario():
        async with serving(reactor) as url, Client(reactor=reactor) as client:
            with pytest.raises(RequestTimedOut, match=r"0\.2 seconds"):
                await client.fetch(f"{url}/silent", timeout=0.2)
            with pytest.raises(RequestTimedOut, match="the response"):
                await client.fetch(f"{url}/silent", timeout=Timeouts(head=0.1))
            with pytest.raises(ValueError, match="line end"):
                await client.fetch(url, headers={"A": "b\r\nC: d"})
            with pytest.raises(ValueError, match="method"):
                await client.fetch(url, "GET /")
            with pytest.raises(TypeError, match="one body"):
                await client.fetch(url, json={}, body=b"")
            with pytest.raises(TypeError, match="cannot be sent"):
                await client.fetch(url, body=5)
        with pytest.raises(ConnectionRefusedError):
            await client.fetch(url)

    run(scenario)


def test_over_tls(reactor, run):
    async def scenario():
        trusted = BrowserLikePolicyForHTTPS(trustRootFromCertificates([authority().root]))
        async with serving(reactor, authority().issue("127.0.0.1")) as url:
            async with Client(reactor=reactor, policy=trusted) as client:
                assert await (await client.fetch(f"{url}/large")).read() == LARGE
                assert (await (await client.fetch(url, body=LARGE)).json())["length"] == len(LARGE)
            async with Client(reactor=reactor) as client:
                with pytest.raises(Exception, match=r"(?i)certificate|issuer|trust"):
                    await client.fetch(url)
        async with (
            serving(reactor, authority().issue("other.example")) as url,
            Client(reactor=reactor, policy=trusted) as client,
        ):
            with pytest.raises(Exception, match=r"other\.example|127\.0\.0\.1"):
                await client.fetch(url)

    run(scenario)


class Tunnel(Request):
    """A proxy that knows CONNECT."""

    def process(self):
        host, _, port = self.uri.decode().rpartition(":")
        self.factory.asked.append(self.uri)
        channel = self.channel

        class Far(Protocol):
            def connectionMade(self):
                self.near.write(b"HTTP/1.1 200 Go\r\n\r\n")

            def dataReceived(self, data):
                self.near.write(data)

            def connectionLost(self, reason=None):
                self.near.loseConnection()

        class Near(Protocol):
            def dataReceived(self, data):
                far.transport.write(data)

            def connectionLost(self, reason=None):
                far.transport.loseConnection()

        far = Far()
        far.near = channel.transport
        near = Near()
        endpoint = clientFromString(self.reactor, f"tcp:{host}:{port}")

        def made(_):
            near.makeConnection(far.near)

        channel.transport.unregisterProducer()
        channel.transport.protocol = near
        endpoint.connect(Factory.forProtocol(lambda: far)).addCallback(made)


def test_https_through_a_proxy(reactor, run):
    async def scenario():
        trusted = BrowserLikePolicyForHTTPS(trustRootFromCertificates([authority().root]))
        factory = HTTPFactory(reactor=reactor)
        factory.asked = []

        def make(channel, *args, **kwargs):
            made = Tunnel(channel, *args, **kwargs)
            made.factory, made.reactor = factory, reactor
            return made

        factory.requestFactory = make
        proxy = reactor.listenTCP(0, factory, interface="127.0.0.1")
        pool = HTTPConnectionPool(reactor)
        agent = ProxyAgent(
            clientFromString(reactor, f"tcp:127.0.0.1:{proxy.getHost().port}"), reactor, pool, contextFactory=trusted
        )
        async with (
            serving(reactor, authority().issue("127.0.0.1")) as url,
            Client(reactor=reactor, agent=agent) as client,
        ):
            for _ in range(2):
                assert await (await client.fetch(f"{url}/large")).read() == LARGE
            assert factory.asked == [url.removeprefix("https://").encode()], "the tunnel was not kept"
            await pool.closeCachedConnections()
        await proxy.stopListening()

    run(scenario)


@contextmanager
def foreign(protocol):
    """Yield the port of the standard library's server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_GET(self):
            self.send_response(200)
            if self.path == "/length":
                self.send_header("Content-Length", str(len(LARGE)))
            self.end_headers()
            self.wfile.write(LARGE)
            self.close_connection = self.path != "/length"

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))  # seconds between looks whether it is to end
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_a_server_of_the_standard_library(reactor, run, protocol):
    async def scenario():
        async with Client(reactor=reactor) as client:
            for path in ("length", "length", "until-close"):
                answer = await client.fetch(f"http://127.0.0.1:{port}/{path}")
                assert await answer.read() == LARGE

    with foreign(protocol) as port:
        run(scenario)


def test_who_reads_slowly_slows_the_server_down(reactor, run):
    """64 MiB are on offer, and what is under way stays small until it is asked for."""
    written = []

    class Producer:
        def __init__(self, request):
            self.request = request
            self.paused = False
            self.left = 1024

        def resumeProducing(self):
            self.paused = False
            while self.left and not self.paused:
                self.left -= 1
                written.append(1)
                self.request.write(bytes(65536))
            if not self.left:
                self.left = -1
                self.request.unregisterProducer()
                self.request.finish()

        def pauseProducing(self):
            self.paused = True

        def stopProducing(self):
            self.paused = True

    class Endless(Resource):
        isLeaf = True

        def render_GET(self, request):
            producer = Producer(request)
            request.registerProducer(producer, True)
            producer.resumeProducing()
            return NOT_DONE_YET

    async def scenario():
        port = reactor.listenTCP(0, Site(Endless(), reactor=reactor), interface="127.0.0.1")
        async with Client(reactor=reactor) as client:
            answer = await client.fetch(f"http://127.0.0.1:{port.getHost().port}/")
            pieces = aiter(answer)
            size = len(await anext(pieces))
            seen = -1

            def still():
                nonlocal seen
                before, seen = seen, len(written)
                return before == seen

            await until(reactor, still)
            assert len(written) < 512, "the whole body was sent though nobody read it"
            async for piece in pieces:
                size += len(piece)
            assert size == 1024 * 65536
        await port.stopListening()

    run(scenario)
