"""The client's HTTP/2, and what goes wrong with TLS, with real servers, on every reactor."""

from contextlib import asynccontextmanager
from io import BytesIO

import pytest

pytest.importorskip("h2")

from contract.harness import until
from contract.test_web_client import Tunnel
from torsion.internet.defer import ensureDeferred, gatherResults
from torsion.internet.endpoints import TCP4ServerEndpoint, clientFromString, wrapServerTLS
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.ssl import trustRootFromCertificates
from torsion.internet.tls.errors import CertificateExpired, NotTLS, UnknownIssuer, WrongName
from torsion.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    FileBodyProducer,
    HTTPConnectionPool,
    ProxyAgent,
    readBody,
)
from torsion.web.fetch import Client, RequestTimedOut, Timeouts
from torsion.web.http import HTTPFactory
from torsion.web.http2 import HTTP2Connection
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET, Site
from unit.internet.tls.kit import DAY, authority

LARGE = bytes(range(256)) * 4096 * 4


class Pages(Resource):
    isLeaf = True

    def __init__(self):
        super().__init__()
        self.written = 0

    def render_GET(self, request):
        match request.path:
            case b"/large":
                return LARGE
            case b"/endless":
                request.registerProducer(Endless(self, request), False)
                return NOT_DONE_YET
            case b"/silent":
                return NOT_DONE_YET
        return request.clientproto + b" " + request.uri

    def render_POST(self, request):
        return b"%d" % len(request.content.read())


class Endless:
    def __init__(self, pages, request):
        self.pages = pages
        self.request = request

    def resumeProducing(self):
        self.pages.written += 65536
        self.request.write(bytes(65536))

    def stopProducing(self):
        pass


@asynccontextmanager
async def serving(reactor, secure=None, http2=True):
    """Yield the URL of a site, and its pages."""
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    if secure is not None:
        endpoint = wrapServerTLS(secure.options(), endpoint)
    pages = Pages()
    site = Site(pages, reactor=reactor)
    site.http2 = HTTP2Connection if http2 else None
    port = await endpoint.listen(site)
    try:
        yield f"{'http' if secure is None else 'https'}://127.0.0.1:{port.getHost().port}", pages
    finally:
        await port.stopListening()


def trusting():
    return BrowserLikePolicyForHTTPS(trustRootFromCertificates([authority().root]))


@pytest.mark.parametrize("secure", [True, False], ids=["alpn", "prior-knowledge"])
def test_fetching_over_http2(reactor, run, secure):
    async def scenario():
        how = {"policy": trusting()} if secure else {"http2": "prior-knowledge"}
        async with (
            serving(reactor, authority().issue("127.0.0.1") if secure else None) as (url, _),
            Client(reactor=reactor, **how) as client,
        ):
            answers = await gatherResults([ensureDeferred(client.fetch(f"{url}/{number}")) for number in range(150)])
            assert [await each.read() for each in answers] == [b"HTTP/2 /%d" % number for number in range(150)]
            assert {each.response.version for each in answers} == {(b"HTTP", 2, 0)}
            [place] = client._pool._places.values()
            assert place.used == 1
            assert await (await client.fetch(f"{url}/large")).read() == LARGE

            async def pieces():
                for number in range(16):
                    yield LARGE[number * 2**18 : (number + 1) * 2**18]

            for body in (LARGE, BytesIO(LARGE), pieces()):
                assert await (await client.fetch(url, body=body)).read() == b"%d" % len(LARGE)
            answer = await client.fetch(url, files={"a": ("b", LARGE)}, form={"c": "d"})
            assert int(await answer.read()) > len(LARGE)

    run(scenario)


def test_agents_speak_it_when_they_are_told_to(reactor, run):
    async def scenario():
        async with serving(reactor, authority().issue("127.0.0.1")) as (url, _):
            for http2 in (True, False):
                pool = HTTPConnectionPool(reactor)
                agent = Agent(reactor, trusting(), pool=pool, http2=http2)
                response = await agent.request(b"POST", url.encode(), None, FileBodyProducer(BytesIO(LARGE)))
                assert response.version == ((b"HTTP", 2, 0) if http2 else (b"HTTP", 1, 1))
                assert await readBody(response) == b"%d" % len(LARGE)
                await pool.closeCachedConnections()

    run(scenario)


def test_a_server_of_http1_is_spoken_to_as_before(reactor, run):
    async def scenario():
        async with (
            serving(reactor, authority().issue("127.0.0.1"), http2=False) as (url, _),
            Client(reactor=reactor, policy=trusting(), perHost=4) as client,
        ):
            answers = await gatherResults([ensureDeferred(client.fetch(f"{url}/{number}")) for number in range(20)])
            assert [await each.read() for each in answers] == [b"HTTP/1.1 /%d" % number for number in range(20)]
            [place] = client._pool._places.values()
            assert place.used == 4

    run(scenario)


def test_who_reads_slowly_slows_its_own_response_down(reactor, run):
    async def scenario():
        async with (
            serving(reactor) as (url, pages),
            Client(reactor=reactor, http2="prior-knowledge") as client,
        ):
            answer = await client.fetch(f"{url}/endless")
            got = aiter(answer)
            await anext(got)
            seen = -1

            def still():
                nonlocal seen
                before, seen = seen, pages.written
                return before == seen

            await until(reactor, still)
            assert pages.written < 8 * 2**20
            assert await (await client.fetch(f"{url}/large")).read() == LARGE, "the others are held up"
            await until(reactor, still)
            size = 0
            while size < 16 * 2**20:
                size += len(await anext(got))
            answer.close()
            assert await (await client.fetch(f"{url}/x")).read() == b"HTTP/2 /x"
            [place] = client._pool._places.values()
            assert place.used == 1

    run(scenario)


def test_through_a_proxy(reactor, run):
    """The tunnel is TLS's, and HTTP/2 is agreed upon inside it."""

    async def scenario():
        factory = HTTPFactory(reactor=reactor)
        factory.asked = []

        def make(channel, *args, **kwargs):
            made = Tunnel(channel, *args, **kwargs)
            made.factory, made.reactor = factory, reactor
            return made

        factory.requestFactory = make
        proxy = reactor.listenTCP(0, factory, interface="127.0.0.1")
        endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{proxy.getHost().port}")
        pool = HTTPConnectionPool(reactor)
        agent = ProxyAgent(endpoint, reactor, pool, contextFactory=trusting(), http2=True)
        async with (
            serving(reactor, authority().issue("127.0.0.1")) as (url, _),
            Client(reactor=reactor, agent=agent) as client,
        ):
            answers = await gatherResults([ensureDeferred(client.fetch(f"{url}/{number}")) for number in range(9)])
            assert [await each.read() for each in answers] == [b"HTTP/2 /%d" % number for number in range(9)]
            assert await (await client.fetch(f"{url}/large")).read() == LARGE
            assert len(factory.asked) == 1
            await pool.closeCachedConnections()
        await proxy.stopListening()

    run(scenario)


def test_a_server_that_falls_silent(reactor, run):
    async def scenario():
        async with (
            serving(reactor, authority().issue("127.0.0.1")) as (url, _),
            Client(reactor=reactor, policy=trusting()) as client,
        ):
            with pytest.raises(RequestTimedOut, match="the response"):
                await client.fetch(f"{url}/silent", timeout=Timeouts(head=0.1))
            with pytest.raises(RequestTimedOut, match="the request"):
                await client.fetch(f"{url}/silent", timeout=0.1)
        silent = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
        for http2 in (True, False):
            async with Client(reactor=reactor, http2=http2) as client:
                with pytest.raises(RequestTimedOut, match="the TLS handshake"):
                    await client.fetch(f"https://127.0.0.1:{silent.getHost().port}/", timeout=Timeouts(connect=0.1))
        await silent.stopListening()

    run(scenario)


@pytest.mark.parametrize("http2", [True, False])
def test_certificates_that_are_not_trusted(reactor, run, http2):
    async def scenario():
        issue = authority().issue
        for certificate, policy, error, words in (
            (issue("127.0.0.1"), None, UnknownIssuer, "give policy="),
            (issue("other.example"), trusting(), WrongName, "GET https://"),
            (issue("127.0.0.1", since=-3 * DAY, until=-DAY), trusting(), CertificateExpired, "GET https://"),
        ):
            async with (
                serving(reactor, certificate) as (url, _),
                Client(reactor=reactor, policy=policy, http2=http2) as client,
            ):
                with pytest.raises(error) as caught:
                    await client.fetch(url)
                assert words in caught.value.__notes__[0]
        async with serving(reactor) as (url, _), Client(reactor=reactor, http2=http2) as client:
            with pytest.raises(NotTLS, match="HTTP"):
                await client.fetch(url.replace("http:", "https:"))

    run(scenario)
