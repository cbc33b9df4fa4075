"""What a GET costs a client: `fetches.py [--peers A,B] [--rounds N] [--json]`, CPU microseconds for each, and GETs a second.

64 are under way at a time, over connections that are kept, to one server on another core, which answers 13 bytes; each body is read.
The peers take turns, each round in a process of its own that is pinned to a core; the figure is the median of the rounds.

torsion        an `Agent` with a pool, and `readBody`
torsion-fetch  `Client.fetch` of torsion.web.fetch, with its redirects, cookies, decompression and time-outs
treq           treq on stock Twisted, with a persistent pool
aiohttp        a `ClientSession` of aiohttp
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import Any

AT_A_TIME = 64
WARM, GETS = 2_000, 12_000
NEEDS = {"torsion": "torsion", "torsion-fetch": "torsion", "treq": "treq", "aiohttp": "aiohttp"}


def pin(core: int) -> None:
    """Run on one core, if there is more than one."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def serve() -> None:
    """Serve, print the port, and run until killed."""
    pin(0)
    from torsion.internet import reactor
    from torsion.web.resource import Resource
    from torsion.web.server import Site

    class Hello(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            return b"Hello, world!"

    port = reactor.listenTCP(0, Site(Hello()), interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


async def all_of(one: Any, count: int, gather: Any) -> None:
    """Do *one* so many times, 64 at a time."""
    left = count

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await one()

    await gather([worker() for _ in range(AT_A_TIME)])


async def measured(one: Any, gather: Any) -> dict[str, float]:
    await all_of(one, WARM, gather)
    cpu, wall = time.process_time(), time.perf_counter()
    await all_of(one, GETS, gather)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu / GETS * 1e6, "rate": GETS / wall}


def on_torsion(url: str, fetching: bool) -> None:
    from torsion.internet import reactor
    from torsion.internet.defer import ensureDeferred, gatherResults
    from torsion.web.client import Agent, HTTPConnectionPool, readBody
    from torsion.web.fetch import Client

    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = AT_A_TIME
    agent = Agent(reactor, pool=pool)
    client = Client()
    uri = url.encode()

    async def get() -> None:
        assert len(await readBody(await agent.request(b"GET", uri))) == 13

    async def fetch() -> None:
        assert len(await (await client.fetch(url)).read()) == 13

    async def main() -> None:
        done = await measured(fetch if fetching else get, lambda all_: gatherResults([ensureDeferred(x) for x in all_]))
        print(json.dumps(done), flush=True)

    ensureDeferred(main()).addErrback(lambda failure: failure.printTraceback()).addBoth(lambda _: reactor.stop())
    reactor.run()


def on_twisted(url: str) -> None:
    import treq
    from twisted.internet import reactor
    from twisted.internet.defer import ensureDeferred, gatherResults
    from twisted.web.client import HTTPConnectionPool

    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = AT_A_TIME

    async def get() -> None:
        assert len(await treq.content(await treq.get(url, pool=pool))) == 13

    async def main() -> None:
        done = await measured(get, lambda all_: gatherResults([ensureDeferred(x) for x in all_]))
        print(json.dumps(done), flush=True)

    ensureDeferred(main()).addErrback(lambda failure: failure.printTraceback()).addBoth(lambda _: reactor.stop())
    reactor.run()


def on_aiohttp(url: str) -> None:
    import asyncio

    import aiohttp

    async def main() -> None:
        async with aiohttp.ClientSession() as session:

            async def get() -> None:
                async with session.get(url) as response:
                    assert len(await response.read()) == 13

            print(json.dumps(await measured(get, lambda all_: asyncio.gather(*all_))), flush=True)

    asyncio.run(main())


def play(peer: str, url: str) -> None:
    """Be one of the peers."""
    pin(1)
    match peer:
        case "treq":
            on_twisted(url)
        case "aiohttp":
            on_aiohttp(url)
        case _:
            on_torsion(url, peer == "torsion-fetch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=",".join(NEEDS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--play", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        serve() if options.play == ["serve"] else play(*options.play)
        return
    peers = [peer for peer in options.peers.split(",") if find_spec(NEEDS[peer])]
    again = [sys.executable, __file__, "--play"]
    server = subprocess.Popen([*again, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/"
        rounds: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
        for _ in range(options.rounds):
            for peer in peers:
                ran = subprocess.run([*again, peer, url], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
                rounds[peer].append(json.loads(ran.stdout))
    finally:
        server.kill()
        server.wait()
    figures = {
        peer: {name: statistics.median(each[name] for each in made) for name in ("cpu", "rate")}
        for peer, made in rounds.items()
    }
    if options.json:
        print(json.dumps(figures))
        return
    first = next(iter(figures.values()))["cpu"]
    print(f"{'peer':16}{'CPU us for a GET':>18}{'GETs a second':>16}{'times':>10}")
    for peer, each in figures.items():
        print(f"{peer:16}{each['cpu']:18.1f}{each['rate']:16.0f}{each['cpu'] / first:10.2f}")


if __name__ == "__main__":
    main()
