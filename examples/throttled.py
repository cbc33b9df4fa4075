"""A server behind limits: ``python examples/throttled.py tcp:7002 100000`` and then ``nc localhost 7002 | pv >/dev/null``.

It sends noise without end: to all clients together so many bytes a second, to no more than two connections of each host,
and for no longer than a minute after the last byte went either way.
"""

import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import serverFromString
from torsion.internet.protocol import Factory
from torsion.internet.task import react
from torsion.protocols.policies import LimitConnectionsByPeer, ThrottlingFactory, TimeoutFactory
from torsion.protocols.wire import Chargen


class TwoForEach(LimitConnectionsByPeer):
    maxConnectionsPerPeer = 2


async def main(reactor: Any, where: str = "tcp:7002", pace: str = "100000") -> None:
    noise = Factory.forProtocol(Chargen)
    factory = TwoForEach(TimeoutFactory(ThrottlingFactory(noise, writeLimit=int(pace)), 60))
    port = await serverFromString(reactor, where).listen(factory)
    print(f"listening on {port.getHost()}", flush=True)
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
