"""``twisted.trial.unittest``'s names, for suites that are ported: :class:`torsion.testing.cases.TestCase` and its kin.

Tests are run by ``python -m unittest`` or by pytest.
"""

from unittest import SkipTest, TestSuite

from torsion.testing.cases import SynchronousTestCase, TestCase, Todo, makeTodo

__all__ = ["FailTest", "SkipTest", "SynchronousTestCase", "TestCase", "TestSuite", "Todo", "makeTodo"]

FailTest = AssertionError
