"""Twisted's assertions, beside those of unittest."""

from __future__ import annotations

import sys
import traceback
import unittest
import warnings
from collections.abc import Container
from typing import Any, NoReturn, Self, TypeVar

__all__ = ["ALIASES", "Assertions"]

_T = TypeVar("_T")


class Assertions(unittest.TestCase):
    """Assertions by the names that Twisted's tests use; most return what they looked at."""

    # --- Twisted's own -----------------------------------------------------------------------------------------------

    def assertIdentical(self, first: _T, second: object, msg: object = None) -> _T:
        """Fail unless both are the same object; return the first."""
        self.assertIs(first, second, msg)
        return first

    def assertNotIdentical(self, first: _T, second: object, msg: object = None) -> _T:
        """Fail if both are the same object; return the first."""
        self.assertIsNot(first, second, msg)
        return first

    def assertNot(self, condition: _T, msg: object = None) -> _T:
        """Fail if *condition* is true; return it."""
        self.assertFalse(condition, msg)
        return condition

    def assertSubstring(self, substring: Any, astring: Container[Any], msg: object = None) -> Any:
        """Fail unless *substring* is in *astring*; return the former."""
        self.assertIn(substring, astring, msg)
        return substring

    def assertNotSubstring(self, substring: Any, astring: Container[Any], msg: object = None) -> Any:
        """Fail if *substring* is in *astring*; return the former."""
        self.assertNotIn(substring, astring, msg)
        return substring

    def assertApproximates(self, first: Any, second: Any, tolerance: Any, msg: object = None) -> Any:
        """Fail if *first* and *second* are more than *tolerance* apart; return the former."""
        if abs(first - second) > tolerance:
            self.fail(msg or f"{first} is not within {tolerance} of {second}")
        return first

    # --- those of unittest that Twisted's tests expect more of -------------------------------------------------------

    def fail(self, msg: object = None) -> NoReturn:
        """Fail.

        :raises AssertionError: always; anything may be the message.
        """
        raise self.failureException(msg)

    def assertEqual(self, first: Any, second: Any, msg: object = None) -> Any:
        """Fail unless both are equal; return the first."""
        super().assertEqual(first, second, msg)
        return first

    def assertNotEqual(self, first: Any, second: Any, msg: object = None) -> Any:
        """Fail if both are equal; return the first."""
        super().assertNotEqual(first, second, msg)
        return first

    def assertTrue(self, condition: Any, msg: object = None) -> Any:
        """Fail unless *condition* is true; return it."""
        super().assertTrue(condition, msg)
        return condition

    def assertFalse(self, condition: Any, msg: object = None) -> Any:
        """Fail if *condition* is true; return it."""
        super().assertFalse(condition, msg)
        return condition

    def assertIn(self, containee: Any, container: Any, msg: object = None) -> Any:
        """Fail unless the one is in the other; return the former."""
        super().assertIn(containee, container, msg)
        return containee

    def assertNotIn(self, containee: Any, container: Any, msg: object = None) -> Any:
        """Fail if the one is in the other; return the former."""
        super().assertNotIn(containee, container, msg)
        return containee

    def assertIsInstance(self, instance: Any, classOrTuple: Any, message: object = None) -> Any:
        """Fail unless *instance* is of a class; return it."""
        super().assertIsInstance(instance, classOrTuple, message)
        return instance

    def assertRaises(self, exception: Any, f: Any = None, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # Twisted's names
        """Fail unless calling *f* raises *exception*; return what was raised.  Without *f*, return a context manager."""
        context = _Raises(self, exception)
        if f is None:
            return context
        with context:
            context.returned = f(*args, **kwargs)
        return context.exception

    def assertAlmostEqual(
        self, first: Any, second: Any, places: int | None = None, msg: Any = None, delta: Any = None
    ) -> Any:
        """Fail unless both are nearly equal; return the first."""
        super().assertAlmostEqual(first, second, places, msg, delta)
        return first

    def assertNotAlmostEqual(
        self, first: Any, second: Any, places: int | None = None, msg: Any = None, delta: Any = None
    ) -> Any:
        """Fail if both are nearly equal; return the first."""
        super().assertNotAlmostEqual(first, second, places, msg, delta)
        return first

    def assertWarns(  # type: ignore[override]  # Twisted's signature
        self, category: Any, message: Any = None, filename: Any = None, f: Any = None, *args: Any, **kw: Any
    ) -> Any:
        """Fail unless calling *f* warns, with a *message* and from a file; return what it returns.

        With a category alone, or a category and a callable as unittest has it, this is unittest's.
        """
        if f is None or not isinstance(message, str):
            rest = [each for each in (message, filename, f) if each is not None]
            return super().assertWarns(category, *rest, *args, **kw)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _forget_warnings()
            result = f(*args, **kw)
        if not caught:
            self.fail("no warning was given")
        first = caught[0]
        if any(str(each.message) != str(first.message) or each.category is not first.category for each in caught):
            self.fail("Can't handle different warnings")
        self.assertEqual(str(first.message), message)
        self.assertIs(first.category, category)
        self.assertEqual(_source(first.filename), _source(filename))
        return result


class _Raises:
    """Checks what a block, or a call, raises.

    :ivar exception: what was raised.
    :ivar returned: what the call returned instead.
    """

    def __init__(self, case: Assertions, expected: Any) -> None:
        self._case = case
        self._expected = expected
        self.exception: Any = None
        self.returned: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, _: object) -> bool:
        expected = self._expected
        names = " or ".join(each.__name__ for each in (expected if isinstance(expected, tuple) else (expected,)))
        if problem is None:
            self._case.fail(f"{names} not raised ({self.returned} returned)")
        if not isinstance(problem, expected):
            if not isinstance(problem, Exception):
                return False  # it is an interruption, not an outcome
            lines = "".join(traceback.format_exception(problem))
            raise self._case.failureException(
                f"{type(problem).__module__}.{type(problem).__qualname__} raised instead of {names}:\n {lines}"
            ) from problem
        self.exception = problem
        return True


def _source(filename: str) -> str:
    """Return a module's source's name, whichever name of it is given."""
    return filename.removesuffix("c") if filename.endswith(".pyc") else filename


def _forget_warnings() -> None:
    """Have every warning be given again that was given once."""
    for module in list(sys.modules.values()):
        registry = getattr(module, "__warningregistry__", None)
        if registry:
            registry.clear()


ALIASES = {
    "assertEquals": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
    "assert_": "assertTrue",
    "failIf": "assertFalse",
    "failIfAlmostEqual": "assertNotAlmostEqual",
    "failIfAlmostEquals": "assertNotAlmostEqual",
    "failIfEqual": "assertNotEqual",
    "failIfEquals": "assertNotEqual",
    "failIfIdentical": "assertNotIdentical",
    "failIfIn": "assertNotIn",
    "failIfIsInstance": "assertNotIsInstance",
    "failIfSubstring": "assertNotSubstring",
    "failUnless": "assertTrue",
    "failUnlessAlmostEqual": "assertAlmostEqual",
    "failUnlessAlmostEquals": "assertAlmostEqual",
    "failUnlessApproximates": "assertApproximates",
    "failUnlessEqual": "assertEqual",
    "failUnlessEquals": "assertEqual",
    "failUnlessFalse": "assertFalse",
    "failUnlessIdentical": "assertIdentical",
    "failUnlessIn": "assertIn",
    "failUnlessIsInstance": "assertIsInstance",
    "failUnlessRaises": "assertRaises",
    "failUnlessSubstring": "assertSubstring",
    "failUnlessTrue": "assertTrue",
    "failUnlessWarns": "assertWarns",
}
"""Older names of assertions, which suites that are ported may still use."""


for _old, _new in ALIASES.items():
    setattr(Assertions, _old, getattr(Assertions, _new))
