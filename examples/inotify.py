"""What happens in a folder, as it happens: ``python examples/inotify.py /tmp`` (on Linux).  Ctrl-C ends it."""

import sys
from pathlib import Path
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.inotify import INotify, humanReadableMask
from torsion.internet.task import react


def tell(_: INotify, path: Path, mask: int) -> None:
    print(*humanReadableMask(mask), path, flush=True)


async def main(reactor: Any, *folders: str) -> None:
    notifier = INotify(reactor)
    notifier.startReading()
    for folder in folders or ["."]:
        notifier.watch(Path(folder), autoAdd=True, callbacks=[tell], recursive=True)
    print("watching", flush=True)
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
