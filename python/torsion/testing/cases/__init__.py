"""``TestCase``: tests that return Deferreds or are coroutines, for unittest and pytest, in the style of Twisted's.

``assertions`` · ``results`` of Deferreds · ``marks`` (skip, todo, timeout) · ``synchronous`` · ``asynchronous``.
"""

from torsion.testing.cases.asynchronous import TestCase
from torsion.testing.cases.marks import Todo, makeTodo
from torsion.testing.cases.synchronous import SynchronousTestCase

__all__ = ["SynchronousTestCase", "TestCase", "Todo", "makeTodo"]
