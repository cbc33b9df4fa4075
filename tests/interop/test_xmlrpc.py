"""XML-RPC with the stdlib's client, and with the stdlib's server."""

from __future__ import annotations

import subprocess
import sys
import threading
import xmlrpc.client
import xmlrpc.server
from collections.abc import Iterator
from typing import Any

import pytest

SERVER = """
from torsion.internet import reactor
from torsion.web.server import Site
from torsion.web.xmlrpc import XMLRPC, Fault, addIntrospection

class Service(XMLRPC):
    async def xmlrpc_echo(self, *values):
        return list(values)

    def xmlrpc_fails(self):
        raise Fault(3, "no")

service = Service(allowNone=True)
addIntrospection(service)
port = reactor.listenTCP(0, Site(service), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""

CLIENT = """
import sys
from torsion.internet.task import react
from torsion.web.xmlrpc import Binary, Fault, Proxy

async def main(reactor):
    proxy = Proxy(sys.argv[1], allowNone=True)
    assert await proxy.callRemote("add", 2, 3) == 5
    values = [None, "\\N{SNOWMAN}<&>", 1.5, Binary(b"\\0"), {"a": [True]}]
    assert await proxy.callRemote("echo", values) == values
    assert "add" in await proxy.callRemote("system.listMethods")
    try:
        await proxy.callRemote("nothing")
    except Fault as fault:
        print(fault.faultString)

react(main)
"""


@pytest.fixture
def url() -> Iterator[str]:
    program = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        yield f"http://127.0.0.1:{int(program.stdout.readline())}/RPC2"
    finally:
        program.kill()
        program.communicate(timeout=10)


def test_the_client_of_the_stdlib_calls_us(url: str) -> None:
    with xmlrpc.client.ServerProxy(url, allow_none=True) as proxy:
        values: list[Any] = [None, "\N{SNOWMAN}<&>", 1.5, xmlrpc.client.Binary(b"\0"), {"a": [True]}]
        assert proxy.echo(*values) == values
        assert proxy.echo("x" * 300_000) == ["x" * 300_000]  # a body that is kept in a file
        assert "echo" in proxy.system.listMethods()  # type: ignore[operator]  # it is a list, as the server says
        with pytest.raises(xmlrpc.client.Fault) as caught:
            proxy.fails()
        assert (caught.value.faultCode, caught.value.faultString) == (3, "no")


def test_we_call_the_server_of_the_stdlib() -> None:
    with xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False, allow_none=True) as server:
        server.register_introspection_functions()
        server.register_function(lambda a, b: a + b, "add")
        server.register_function(lambda value: value, "echo")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            host, port = server.server_address[:2]
            run = subprocess.run(
                [sys.executable, "-c", CLIENT, f"http://{host!s}:{port}/RPC2"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        finally:
            server.shutdown()
            thread.join()
    assert run.returncode == 0, run.stderr
    assert 'method "nothing" is not supported' in run.stdout
