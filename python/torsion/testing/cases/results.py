"""Looking into Deferreds without waiting for them."""

from __future__ import annotations

from typing import Any

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.python.failure import Failure
from torsion.testing.cases.assertions import Assertions

__all__ = ["Results"]


class Results(Assertions):
    """Assertions about Deferreds that have fired, or have not."""

    def successResultOf(self, deferred: Any) -> Any:
        """Return the result that *deferred*, a Deferred or a coroutine, has now.

        :raises AssertionError: if it has none, or a failure.
        """
        deferred, found = _looked_into(deferred)
        if not found:
            self.fail(f"Success result expected on {deferred!r}, found no result instead")
        if isinstance(found[0], Failure):
            self.fail(
                f"Success result expected on {deferred!r}, found failure result instead:\n{found[0].getTraceback()}"
            )
        return found[0]

    def failureResultOf(self, deferred: Any, *expectedExceptionTypes: type[BaseException]) -> Failure:
        """Return the failure that *deferred*, a Deferred or a coroutine, has now; it is handled then.

        :param expectedExceptionTypes: of which types it is to be; any, if none is given.
        :raises AssertionError: if it has none, or another.
        """
        deferred, found = _looked_into(deferred)
        wanted = " or ".join(f"{each.__module__}.{each.__qualname__}" for each in expectedExceptionTypes)
        if not found:
            self.fail(f"Failure result expected on {deferred!r}, found no result instead")
        failure = found[0]
        if not isinstance(failure, Failure):
            self.fail(f"Failure result expected on {deferred!r}, found success result ({failure!r}) instead")
        if expectedExceptionTypes and not failure.check(*expectedExceptionTypes):
            self.fail(f"Failure of type ({wanted}) expected on {deferred!r}, found instead:\n{failure.getTraceback()}")
        return failure

    def assertNoResult(self, deferred: Any) -> None:
        """Fail if *deferred*, a Deferred or a coroutine, has a result or a failure now.

        It is as it was afterwards, if it has none.
        """
        deferred = ensureDeferred(deferred) if not isinstance(deferred, Deferred) else deferred
        found: list[Any] = []

        def look(result: Any) -> Any:
            found.append(result)
            return result

        deferred.addBoth(look)
        if found:
            deferred.addErrback(lambda _: None)  # it is told of here
            self.fail(f"No result expected on {deferred!r}, found {found[0]!r} instead")

    def assertFailure(self, deferred: Deferred[Any], *expectedFailures: type[BaseException]) -> Deferred[Any]:
        """Return *deferred*, which will fire with the exception that it fails with, or fail unless that is of those types.

        A test returns it.
        """

        def succeeded(result: object) -> None:
            self.fail(f"did not catch an error, instead got {result!r}")

        def failed(failure: Failure) -> Any:
            if not failure.check(*expectedFailures):
                self.fail(f"\nExpected: {expectedFailures!r}\nGot:\n{failure}\n{failure.getTraceback()}")
            return failure.value

        return deferred.addCallbacks(succeeded, failed)

    failUnlessFailure = assertFailure


def _looked_into(deferred: Any) -> tuple[Deferred[Any], list[Any]]:
    """Return a Deferred, and a list of the result that was taken out of it, if it had one."""
    if not isinstance(deferred, Deferred):
        deferred = ensureDeferred(deferred)
    found: list[Any] = []
    deferred.addBoth(found.append)
    return deferred, found
