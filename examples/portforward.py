"""A port forwarder: ``python examples/portforward.py tcp:7001 localhost 7000`` and then ``nc localhost 7001``.

Whoever connects to the one port speaks with the other.  Ctrl-C ends it.
"""

import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import serverFromString
from torsion.internet.task import react
from torsion.protocols.portforward import ProxyFactory


async def main(reactor: Any, where: str = "tcp:7001", host: str = "localhost", port: str = "7000") -> None:
    listening = await serverFromString(reactor, where).listen(ProxyFactory(host, int(port)))
    print(f"listening on {listening.getHost()}", flush=True)
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
