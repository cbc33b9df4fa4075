"""Tests that wait for nothing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from torsion.testing.cases.marks import MISSING, Todo, makeTodo, marked
from torsion.testing.cases.results import Results
from torsion.testing.running import LeftBehindError, Watch

__all__ = ["SynchronousTestCase"]


class SynchronousTestCase(Results):
    """A ``unittest.TestCase`` with Twisted's assertions, that fails if an error was logged and not flushed.

    ``skip`` (a reason), ``todo`` (a reason) and ``timeout`` (seconds) may stand on a test's method, class or module.
    """

    def __init__(self, methodName: str = "runTest") -> None:
        """Make a test of one method."""
        super().__init__(methodName)
        self._watch: Watch | None = None
        self._warned: list[warnings.WarningMessage] = []

    def runTest(self) -> None:
        """Do nothing: for cases that are made to be used, not to be run."""

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test, and tell *result* how it went."""
        method = getattr(self, self._testMethodName)
        skipped, reason = self.getSkip()
        if skipped and result is not None:
            result.startTest(self)
            result.addSkip(self, reason or "")
            result.stopTest(self)
            return result
        todo = self.getTodo()
        if todo is not None:
            self.__unittest_expecting_failure__ = True
        self.addCleanup(self._end_watch)  # the first that is added is the last that is called
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._warned = caught
            self._watch = self._make_watch()
            self._watch.begin()
            outcome = super().run(result)
        self._warn_again(caught)
        del method
        return outcome

    def _make_watch(self) -> Watch:
        return Watch()

    def _end_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            leaks = watch.end()
            if leaks:
                raise LeftBehindError(leaks)

    def _warn_again(self, caught: list[warnings.WarningMessage]) -> None:
        for each in caught:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)

    def getSkip(self) -> tuple[bool, str | None]:
        """Return whether the test is to be skipped, and why: as its method, its class or its module says by ``skip``."""
        found = marked(self, getattr(self, self._testMethodName), "skip")
        return (False, None) if found is MISSING else (True, str(found))

    def getTodo(self) -> Todo | None:
        """Return what ``todo`` of its method, its class or its module says, or None."""
        found = marked(self, getattr(self, self._testMethodName), "todo")
        return None if found is MISSING else makeTodo(found)

    # --- what a test asks for ----------------------------------------------------------------------------------------

    def flushLoggedErrors(self, *errorTypes: type[BaseException]) -> list[Any]:
        """Return the failures that were logged, of some types or of any, and have the test not fail for them."""
        return [] if self._watch is None else self._watch.flush(*errorTypes)

    def flushWarnings(self, offendingFunctions: Iterable[Callable[..., Any]] | None = None) -> list[dict[str, Any]]:
        """Return the warnings that were given, and forget them.

        :param offendingFunctions: those that were given in the code of these functions alone; all, if it is not given.
        :returns: a dictionary each, with ``message``, ``category``, ``filename`` and ``lineno``.
        """
        flushed = list(self._warned)
        if offendingFunctions is not None:
            places = [_lines_of(each) for each in offendingFunctions]
            flushed = [
                each
                for each in flushed
                if any(each.filename == filename and each.lineno in lines for filename, lines in places)
            ]
        self._warned[:] = [each for each in self._warned if each not in flushed]
        return [
            {
                "message": each.message.args[0]
                if isinstance(each.message, Warning) and each.message.args
                else str(each.message),
                "category": each.category,
                "filename": each.filename,
                "lineno": each.lineno,
            }
            for each in flushed
        ]

    def callDeprecated(self, version: Any, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call *f*, which is to warn that it is deprecated since *version*; return what it returns.

        :param version: a ``Version``, or a tuple of one and what it says is to be used instead.
        :raises AssertionError: unless it warns once, as ``torsion.python.deprecate`` does.
        """
        from torsion.python.deprecate import getDeprecationWarningString

        since, replacement = version if isinstance(version, tuple) else (version, None)
        result = f(*args, **kwargs)
        given = self.flushWarnings([self.callDeprecated])
        if [each["category"] for each in given] != [DeprecationWarning]:
            self.fail(f"{f!r} is not deprecated.")
        expected = getDeprecationWarningString(f, since, replacement=replacement)
        self.assertEqual(given[0]["message"], expected)
        return result

    def getDeprecatedModuleAttribute(self, moduleName: str, name: str, version: Any, message: str | None = None) -> Any:
        """Return an attribute of a module that is to warn that it is deprecated since *version*.

        :param message: how what the warning says further is to begin.
        :raises AssertionError: unless it warns once, as ``torsion.python.deprecate`` does.
        """
        from torsion.python.versions import getVersionString

        found = getattr(sys.modules[moduleName], name)
        given = self.flushWarnings([self.getDeprecatedModuleAttribute])
        expected = f"{moduleName}.{name} was deprecated in {getVersionString(version)}"
        if message is not None:
            expected += f": {message}"
        self.assertEqual([each["category"] for each in given], [DeprecationWarning])
        if not str(given[0]["message"]).startswith(expected):
            self.fail(f"{given[0]['message']!r} does not begin with {expected!r}")
        return found

    def patch(self, obj: Any, attribute: str, value: Any) -> Any:
        """Set an attribute until the test is over.

        :returns: an object whose ``restore()`` undoes it before.
        """
        patched = _Patch(obj, attribute, value)
        self.addCleanup(patched.restore)
        return patched

    def mktemp(self) -> str:
        """Return a path at which nothing is, in a new folder that is removed with everything in it when the test is over."""
        folder = tempfile.mkdtemp(prefix=f"{type(self).__name__}.{self._testMethodName[:32]}.")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return os.path.join(folder, "temp")  # noqa: PTH118 - a string is what Twisted returns


class _Patch:
    """An attribute that was set, and what was there before."""

    def __init__(self, obj: Any, attribute: str, value: Any) -> None:
        self._place = obj, attribute
        self._own = attribute in getattr(obj, "__dict__", {attribute: None})
        self._before = getattr(obj, attribute)
        self._undone = False
        setattr(obj, attribute, value)

    def restore(self) -> None:
        """Undo it."""
        if self._undone:
            return
        self._undone = True
        if self._own:
            setattr(*self._place, self._before)
        else:
            delattr(*self._place)


def _lines_of(function: Any) -> tuple[str, range]:
    """Return in which file a function stands, and in which lines."""
    code = getattr(function, "__func__", function).__code__
    lines = [line for *_, line in code.co_lines() if line is not None]
    return code.co_filename, range(min(lines), max(lines) + 1)
