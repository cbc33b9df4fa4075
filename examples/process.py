"""A child process that is fed and read: ``python examples/process.py sort -r`` sorts the lines that this program is given.

Whatever program is named gets what comes in on standard input; its output is printed with a mark in front of each line,
and then how it ended.
"""

import os
import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.error import ProcessDone, ProcessTerminated
from torsion.internet.protocol import ProcessProtocol
from torsion.internet.task import react
from torsion.python.failure import Failure


class Child(ProcessProtocol):
    def __init__(self, lines: bytes) -> None:
        self.lines = lines
        self.ended: Deferred[Failure] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.lines)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        for line in data.splitlines():
            print("out:", line.decode())

    def errReceived(self, data: bytes) -> None:
        for line in data.splitlines():
            print("err:", line.decode())

    def processEnded(self, reason: Failure) -> None:  # all of its output has been read by then
        self.ended.callback(reason)


async def main(reactor: Any, *command: str) -> None:
    child = Child(sys.stdin.buffer.read())
    reactor.spawnProcess(child, command[0], command, env=os.environ)
    try:
        await child.ended
    except ProcessDone:
        print("it ended well")
    except ProcessTerminated as error:  # which tells the exit status, or the signal
        print("it ended badly:", error)


react(main, sys.argv[1:])
