"""Python's other clients ask our server: connections that are kept, uploads piece by piece, streams, cookies."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contract.faultkit import needs_posix
from interop.web.served import Server
from interop.web.sites import site

pytestmark = [needs_posix, pytest.mark.interop]

PARTS = [bytes([number]) * 10_000 for number in range(100)]
WHOLE = b"".join(PARTS)
DIGEST = hashlib.sha256(WHOLE).hexdigest()
STREAM = b"".join(b"%d " % number * 200 for number in range(300))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "file").write_bytes(WHOLE)
    with site(folder) as server:
        yield server


@pytest.fixture
def base(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


async def gradually() -> AsyncIterator[bytes]:
    for part in PARTS:
        yield part


def test_requests(base: str) -> None:
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        session.trust_env = False
        ports = {session.get(f"{base}/who").json()["port"] for _ in range(3)}
        assert session.put(f"{base}/body", data=iter(PARTS)).json() == [len(WHOLE), DIGEST, "chunked"]
        assert session.put(f"{base}/body", data=io.BytesIO(WHOLE)).json() == [len(WHOLE), DIGEST, None]
        form = session.post(f"{base}/form", data={"a": "1"}, files={"file": ("name", WHOLE)})
        assert form.json() == {"a": ["1"], "file": [len(WHOLE)]}
        with session.get(f"{base}/stream", stream=True) as response:
            assert response.headers["transfer-encoding"] == "chunked"
            assert b"".join(response.iter_content(1000)) == STREAM
        assert [session.get(f"{base}/visits").text for _ in range(2)] == ["1", "2"]
        assert session.get(f"{base}/files/file", headers={"Range": "bytes=5-"}).content == WHOLE[5:]
        assert session.head(f"{base}/files/file").headers["content-length"] == str(len(WHOLE))
        assert {session.get(f"{base}/who").json()["port"]} == ports, "the connection was not kept"


def test_urllib3(base: str) -> None:
    urllib3 = pytest.importorskip("urllib3")
    with urllib3.PoolManager(maxsize=1, retries=False, timeout=10) as pool:
        port = pool.request("GET", f"{base}/who").json()["port"]
        assert pool.request("PUT", f"{base}/body", body=iter(PARTS), chunked=True).json()[1:] == [DIGEST, "chunked"]
        response = pool.request("GET", f"{base}/stream", preload_content=False)
        assert b"".join(response.stream(1000)) == STREAM
        response.release_conn()
        assert pool.request("POST", f"{base}/form", fields={"a": "ü"}).json() == {"a": ["ü"]}  # multipart
        assert pool.request("GET", f"{base}/who").json()["port"] == port


def test_httpx(base: str) -> None:
    httpx = pytest.importorskip("httpx")

    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            port = (await client.get(f"{base}/who")).json()["port"]
            assert (await client.put(f"{base}/body", content=gradually())).json() == [len(WHOLE), DIGEST, "chunked"]
            async with client.stream("GET", f"{base}/stream") as response:
                assert b"".join([part async for part in response.aiter_bytes()]) == STREAM
            assert [(await client.get(f"{base}/visits")).text for _ in range(2)] == ["1", "2"]
            assert (await client.get(f"{base}/who")).json()["port"] == port
            several = await asyncio.gather(*(client.get(f"{base}/files/file") for _ in range(20)))
            assert {response.content for response in several} == {WHOLE}

    asyncio.run(main())


def test_aiohttp(base: str) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def main() -> None:
        jar = aiohttp.CookieJar(unsafe=True)  # by default it has none for hosts that are addresses
        async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(10)) as session:

            async def read(method: str, target: str, **keywords: object) -> bytes:
                async with session.request(method, base + target, **keywords) as response:
                    assert response.status == 200
                    return bytes(await response.read())

            port = json.loads(await read("GET", "/who"))["port"]
            assert json.loads(await read("PUT", "/body", data=gradually())) == [len(WHOLE), DIGEST, "chunked"]
            assert json.loads(await read("PUT", "/body", data=WHOLE, expect100=True))[1] == DIGEST
            assert await read("GET", "/stream") == STREAM
            assert [await read("GET", "/visits") for _ in range(2)] == [b"1", b"2"]
            assert json.loads(await read("GET", "/who"))["port"] == port
            several = await asyncio.gather(*(read("GET", "/files/file") for _ in range(20)))
            assert set(several) == {WHOLE}

    asyncio.run(main())


def test_a_client_that_leaves_is_noticed(tmp_path: Path) -> None:
    with site(tmp_path) as server:
        connection = server.connect()
        connection.request("GET", "/wait")
        response = connection.getresponse()
        assert response.read(5) == b"begun"
        response.close()
        connection.close()
        assert server.program.stdout is not None
        assert server.program.stdout.readline() == "left\n"
