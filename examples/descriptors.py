"""Foreign descriptors: ``python examples/descriptors.py 10 20 30`` has a process of multiprocessing's compute.

Whatever has a ``fileno`` can be watched; here it is the connection to that process, which knows nothing of reactors.
"""

import sys
from math import factorial
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from typing import Any

from torsion.internet.abstract import FileDescriptor
from torsion.internet.defer import DeferredQueue
from torsion.internet.task import react


def compute(connection: Connection) -> None:
    """Answer numbers: the other process does this."""
    for number in iter(connection.recv, None):
        connection.send(f"{number}! has {len(str(factorial(number)))} digits")


class Answers(FileDescriptor):
    """Reads the connection when there is something to be read, and never else, as that would block."""

    def __init__(self, connection: Connection, reactor: Any) -> None:
        super().__init__(reactor)
        self.connection = connection
        self.queue: DeferredQueue[str] = DeferredQueue()

    def fileno(self) -> int:
        return self.connection.fileno()

    def doRead(self) -> None:
        self.queue.put(self.connection.recv())


async def main(reactor: Any, *numbers: str) -> None:
    ours, theirs = Pipe()
    worker = Process(target=compute, args=(theirs,))
    worker.start()
    answers = Answers(ours, reactor)
    answers.startReading()
    for number in numbers:
        ours.send(int(number))
    for _ in numbers:
        print(await answers.queue.get())
    answers.stopReading()
    ours.send(None)
    worker.join()


if __name__ == "__main__":  # and not in the other process, which may read this file as well
    react(main, sys.argv[1:])
