"""asyncio at the edge: a loop of its own that turns inside a reactor, and what runs coroutines of asyncio there.

``Deferred.asFuture`` and ``Deferred.fromFuture`` translate results; they need nothing of this.
"""

from torsion.interop.asyncio.loop import ReactorLoop, loopOf
from torsion.interop.asyncio.runner import LoopRunner, runnerFor

__all__ = ["LoopRunner", "ReactorLoop", "loopOf", "runnerFor"]
