"""Programs run for their output or exit status, and functions run without their warnings."""

from __future__ import annotations

import warnings
from functools import wraps
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred
from torsion.internet.protocol import ProcessProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torsion.python.failure import Failure

__all__ = [
    "getProcessOutput",
    "getProcessOutputAndValue",
    "getProcessValue",
    "runWithWarningsSuppressed",
    "suppressWarnings",
]

T = TypeVar("T")
_EMPTY: Mapping[bytes | str, bytes | str] = MappingProxyType({})


class _Output(ProcessProtocol):
    """Gathers what a program writes; one that complains is abandoned unless complaints are wanted as well."""

    def __init__(self, deferred: Deferred[bytes], *, errors_too: bool) -> None:
        self.deferred: Deferred[bytes] | None = deferred
        self.output = BytesIO()
        self.errors_too = errors_too
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        self.output.write(data)

    def errReceived(self, data: bytes) -> None:
        if self.errors_too:
            self.output.write(data)
        elif self.deferred is not None:
            deferred, self.deferred = self.deferred, None
            problem = OSError(f"the program wrote to its standard error, and only its output was asked for: {data!r}")
            problem.processEnded = self.ended  # type: ignore[attr-defined]  # so documented: the errors carry it
            self.transport.loseConnection()
            deferred.errback(problem)

    def processEnded(self, reason: Failure) -> None:
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred.callback(self.output.getvalue())
        else:
            self.ended.errback(reason)


class _Value(ProcessProtocol):
    """Waits for a program's end."""

    def __init__(self, deferred: Deferred[int | None]) -> None:
        self.deferred = deferred

    def processEnded(self, reason: Failure) -> None:
        ended: Any = reason.value
        self.deferred.callback(ended.exitCode)


class _Everything(ProcessProtocol):
    """Feeds a program, gathers what it writes and waits for its end."""

    def __init__(self, deferred: Deferred[tuple[bytes, bytes, int]], fed: bytes | None) -> None:
        self.deferred = deferred
        self.fed = fed
        self.output = BytesIO()
        self.errors = BytesIO()

    def connectionMade(self) -> None:
        if self.fed is not None:
            self.transport.writeToChild(0, self.fed)
            self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self.output.write(data)

    def errReceived(self, data: bytes) -> None:
        self.errors.write(data)

    def processEnded(self, reason: Failure) -> None:
        ended: Any = reason.value
        written = self.output.getvalue(), self.errors.getvalue()
        if ended.signal is not None:
            described: Any = (*written, ended.signal)  # no exception, but what Twisted documents
            self.deferred.errback(described)
        else:
            self.deferred.callback((*written, ended.exitCode))


def _spawn(
    protocol: Any,
    executable: bytes | str,
    args: Sequence[bytes | str],
    env: Mapping[bytes | str, bytes | str] | None,
    path: bytes | str | None,
    reactor: Any,
) -> None:
    reactor = current_reactor() if reactor is None else reactor
    reactor.spawnProcess(protocol, executable, (executable, *args), env, path)


def getProcessOutput(
    executable: bytes | str,
    args: Sequence[bytes | str] = (),
    env: Mapping[bytes | str, bytes | str] | None = _EMPTY,
    path: bytes | str | None = None,
    reactor: Any = None,
    errortoo: bool = False,
) -> Deferred[bytes]:
    """Run a program for what it writes to its standard output.

    :param executable: its path, or a name that is looked for in the ``PATH`` of *env*.
    :param args: its arguments, without its own name.
    :param env: its environment; None for a copy of ours.
    :param path: the folder in which it starts; None for ours.
    :param reactor: what runs it; None for the one that runs, or is installed.
    :param errortoo: gather its error output as well, as it comes.  Else the first of that is a failure.
    :returns: a Deferred that fires with what it wrote when it has ended, however it ended.  It fails with
        :class:`OSError` if it writes to its standard error; the error's ``processEnded`` is a Deferred that fails with
        how the program ended when it has, with :class:`torsion.internet.error.ProcessDone` after exit status 0.
    :raises OSError: if it cannot be started.
    """
    deferred: Deferred[bytes] = Deferred()
    _spawn(_Output(deferred, errors_too=bool(errortoo)), executable, args, env, path, reactor)
    return deferred


def getProcessValue(
    executable: bytes | str,
    args: Sequence[bytes | str] = (),
    env: Mapping[bytes | str, bytes | str] | None = _EMPTY,
    path: bytes | str | None = None,
    reactor: Any = None,
) -> Deferred[int | None]:
    """Run a program for its exit status.  For the arguments see :func:`getProcessOutput`.

    :returns: a Deferred that fires with its exit status when it has ended, or with None if a signal ended it.
    :raises OSError: if it cannot be started.
    """
    deferred: Deferred[int | None] = Deferred()
    _spawn(_Value(deferred), executable, args, env, path, reactor)
    return deferred


def getProcessOutputAndValue(
    executable: bytes | str,
    args: Sequence[bytes | str] = (),
    env: Mapping[bytes | str, bytes | str] | None = _EMPTY,
    path: bytes | str | None = None,
    reactor: Any = None,
    stdinBytes: bytes | None = None,
) -> Deferred[tuple[bytes, bytes, int]]:
    """Run a program for all that it writes and its exit status.  For the other arguments see :func:`getProcessOutput`.

    :param stdinBytes: what it is given to read, and then the end of that; None leaves its input open.
    :returns: a Deferred that fires with its output, its error output and its exit status when it has ended.  If a signal
        ended it, it fails, and the Failure's value is a tuple of its output, its error output and the signal's number.
    :raises OSError: if it cannot be started.
    """
    deferred: Deferred[tuple[bytes, bytes, int]] = Deferred()
    _spawn(_Everything(deferred, stdinBytes), executable, args, env, path, reactor)
    return deferred


def runWithWarningsSuppressed(
    suppressedWarnings: Iterable[tuple[tuple[Any, ...], dict[str, Any]]], f: Callable[..., T], *a: Any, **kw: Any
) -> T:
    """Call a function with some warnings ignored, until what it returned has fired if that is a Deferred.

    Filters are the process's: warnings of others that match are ignored meanwhile, too.

    :param suppressedWarnings: for each filter the arguments for ``warnings.filterwarnings``, positional and by name.
    :param f: the function, called with *a* and *kw*.
    :returns: what it returned.
    """
    before = list(warnings.filters)
    for arguments, keywords in suppressedWarnings:
        warnings.filterwarnings(*arguments, **keywords)
    added = [entry for entry in warnings.filters if entry not in before]

    def restore(passed: Any) -> Any:
        for entry in added:
            if entry in warnings.filters:
                # A list in fact; typeshed promises a sequence.
                warnings.filters.remove(entry)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", category=_NoWarning)  # which makes Python forget what it has decided
        warnings.filters.pop(0)  # type: ignore[attr-defined]  # as above
        return passed

    try:
        result = f(*a, **kw)
    except BaseException:
        restore(None)
        raise
    if isinstance(result, Deferred):
        result.addBoth(restore)
    else:
        restore(None)
    return result


class _NoWarning(Warning):
    """Nothing warns of this."""


def suppressWarnings(
    f: Callable[..., T], *suppressedWarnings: tuple[tuple[Any, ...], dict[str, Any]]
) -> Callable[..., T]:
    """Return *f* with some warnings ignored while it runs; see :func:`runWithWarningsSuppressed`."""

    @wraps(f)
    def quiet(*a: Any, **kw: Any) -> T:
        return runWithWarningsSuppressed(suppressedWarnings, f, *a, **kw)

    return quiet
