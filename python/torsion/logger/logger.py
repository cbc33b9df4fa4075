"""``Logger``, with which code says what happens."""

from __future__ import annotations

import sys
from time import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from torsion.logger.levels import InvalidLogLevelError, LogLevel
from torsion.logger.observer import LogPublisher, globalLogPublisher, heard
from torsion.python import _reports
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver

__all__ = ["Logger", "Operation"]


class Operation(Protocol):
    """How a block guarded by ``Logger.failuresHandled`` went.  Both flags are false while it runs."""

    @property
    def succeeded(self) -> bool:
        """Whether the block ended without an exception."""

    @property
    def failed(self) -> bool:
        """Whether the block raised."""

    @property
    def failure(self) -> Failure | None:
        """What it raised, or ``None``."""


class Logger:
    """Emits events, each with where it came from.

    Make one for a module, ``log = Logger()``, or for a class, as an attribute of it: through the attribute, events carry
    the class as namespace and the instance (or class) as ``log_source``.

    A text like ``"{user} left after {time:.1f} s"`` is formatted only if somebody wants the text; its fields are given
    as keywords.  A field that ends in ``()`` is called.

    :ivar namespace: dotted name of the part of the program that logs.
    :ivar source: the object that logs, or ``None``.
    :ivar observer: where events go.
    """

    def __init__(
        self, namespace: str | None = None, source: object = None, observer: LogObserver | None = None
    ) -> None:
        """Make a logger.

        :param namespace: dotted name of what logs; ``None`` stands for the module that calls.
        :param source: the object that logs; set by itself where the logger is an attribute of a class.
        :param observer: where events go; ``None`` stands for ``globalLogPublisher``.
        """
        if namespace is None:
            namespace = sys._getframe(1).f_globals.get("__name__", "<unknown>")
        self.namespace: str = namespace
        self.source = source
        self.observer: LogObserver = globalLogPublisher if observer is None else observer

    # The class that this logger was last taken from, and its name: making that costs more than the rest of `__get__`.
    _taken: tuple[type | None, str] = (None, "")

    def __get__(self, instance: object, owner: type | None = None) -> Logger:
        """Return a logger for *instance* (or for the class *owner*), with the class as its namespace."""
        clazz = type(instance) if owner is None else owner
        taken, namespace = self._taken
        if taken is not clazz:
            namespace = f"{clazz.__module__}.{clazz.__name__}"
            self._taken = clazz, namespace
        return self.__class__(namespace, owner if instance is None else instance, self.observer)

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} {self.namespace!r}>"

    def emit(self, level: LogLevel, format: str | None = None, **kwargs: Any) -> None:
        """Emit an event.

        :param level: how grave it is.  Something that is no level is itself reported as a failure, and not raised.
        :param format: the text, with fields in braces.
        :param kwargs: the fields, and whatever else shall be in the event.
        """
        if level.__class__ is not LogLevel:
            self.failure(
                "Got invalid log level {invalidLevel!r} in {logger}.emit().",
                Failure(InvalidLogLevelError(level)),
                invalidLevel=level,
                logger=self,
            )
            return
        observer = self.observer
        if observer.__class__ is LogPublisher and "log_trace" not in kwargs:  # which asks to be told of each step
            namespace = self.namespace
            known = heard.get((observer, level, namespace))
            if known is False or (known is None and not observer._hears(level, namespace)):
                return
        event = kwargs
        event["log_logger"] = self
        event["log_level"] = level
        event["log_namespace"] = self.namespace
        event["log_source"] = self.source
        event["log_format"] = format
        event["log_time"] = time()
        if "log_trace" in event:
            event["log_trace"].append((self, observer))
        observer(event)

    # The two that most programs do not listen to ask first, since even to hand on the keywords costs as much as asking.
    # A subclass's own `emit` is called in any case.

    def debug(self, format: str | None = None, **kwargs: Any) -> None:
        """Emit an event of use to somebody who works on the code; see ``emit``."""
        observer = self.observer
        if (
            observer.__class__ is LogPublisher
            and heard.get((observer, _DEBUG, self.namespace)) is False
            and self.__class__.emit is _emit
            and "log_trace" not in kwargs
        ):
            return
        self.emit(_DEBUG, format, **kwargs)

    def info(self, format: str | None = None, **kwargs: Any) -> None:
        """Emit an event of use to somebody who watches the program; see ``emit``."""
        observer = self.observer
        if (
            observer.__class__ is LogPublisher
            and heard.get((observer, _INFO, self.namespace)) is False
            and self.__class__.emit is _emit
            and "log_trace" not in kwargs
        ):
            return
        self.emit(_INFO, format, **kwargs)

    def warn(self, format: str | None = None, **kwargs: Any) -> None:
        """Emit an event that is odd, though the program goes on; see ``emit``."""
        self.emit(LogLevel.warn, format, **kwargs)

    def error(self, format: str | None = None, **kwargs: Any) -> None:
        """Emit an event about something that failed and was dealt with; see ``emit``."""
        self.emit(LogLevel.error, format, **kwargs)

    def critical(self, format: str | None = None, **kwargs: Any) -> None:
        """Emit an event about something that failed and was not foreseen; see ``emit``."""
        self.emit(LogLevel.critical, format, **kwargs)

    def failure(
        self, format: str, failure: Failure | None = None, level: LogLevel = LogLevel.critical, **kwargs: Any
    ) -> None:
        """Emit an event about a failure.

        :param format: what was being done, with fields in braces.
        :param failure: what went wrong; ``None`` stands for the exception that is being handled.
        :param level: how grave it is.
        :param kwargs: the fields.
        :raise NoCurrentExceptionError: if no failure is given and no exception is being handled.
        """
        if failure is None:
            failure = Failure()
        self.emit(level, format, log_failure=failure, **kwargs)

    def failuresHandled(self, format: str, level: LogLevel = LogLevel.critical, **kwargs: Any) -> _Guard:
        """Return a context manager that logs what its block raises, and lets it go no further.

        ``with log.failuresHandled("while greeting {who}", who=name) as operation:``; afterwards ``operation.succeeded``,
        ``operation.failed`` and ``operation.failure`` tell how it went.  Every exception is caught, ``KeyboardInterrupt``
        and ``SystemExit`` too.

        :param format: what the block does, with fields in braces.
        :param level: how grave a failure is.
        :param kwargs: the fields.
        """
        return _Guard(self, format, level, kwargs)

    def failureHandler(self, staticMessage: str, level: LogLevel = LogLevel.critical) -> _SharedGuard:
        """Return a context manager as ``failuresHandled`` does, but one to be made once and used many times.

        For hot paths: it costs nothing to enter, has no fields and does not tell how the block went.

        :param staticMessage: what the blocks do.
        :param level: how grave a failure is.
        """
        return _SharedGuard(self, staticMessage, level)


_emit = Logger.emit
_DEBUG = LogLevel.debug
_INFO = LogLevel.info


class _SharedGuard:
    """Logs what its block raises.  Keeps no state, so it may be entered many times at once."""

    def __init__(self, log: Logger, format: str, level: LogLevel) -> None:
        self._log = log
        self._format = format
        self._level = level

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        if error is not None:
            self._log.failure(self._format, Failure(error, kind, tb), self._level)
        return True


class _Guard:
    """Logs what its block raises, and remembers it: an ``Operation``."""

    succeeded = False
    failed = False
    failure: Failure | None = None

    def __init__(self, log: Logger, format: str, level: LogLevel, fields: dict[str, Any]) -> None:
        self._log = log
        self._format = format
        self._level = level
        self._fields = fields

    def __enter__(self) -> Operation:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        if error is None:
            self.succeeded = True
        else:
            self.failed = True
            self.failure = Failure(error, kind, tb)
            self._log.failure(self._format, self.failure, self._level, **self._fields)
        return True


def _loggerFor(obj: object) -> Logger:
    """Return a logger for *obj*, as if its class had one as an attribute."""
    clazz = obj.__class__
    return Logger(f"{clazz.__module__}.{clazz.__name__}", obj)


def _report(message: str, failure: Failure, /) -> None:
    _below.failure("{log_text}", failure, log_text=message)


def _note(message: str, /) -> None:
    _below.info("{log_text}", log_text=message)


_below = Logger("torsion.python")
_reports.install(_report, _note)
