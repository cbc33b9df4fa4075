"""Deferreds: results that are not there yet, functions that gather and order them, and locks and queues made of them.

Start in ``_deferred.py`` (the class) and ``_run.py`` (how callbacks run); ``_driver.py`` runs coroutines and generators.
"""

from ._debug import DebugInfo, logError, passthru
from ._deferred import Deferred
from ._errors import (
    AlreadyCalledError,
    AlreadyTryingToLockError,
    CancelledError,
    FailureGroup,
    FirstError,
    NotACoroutineError,
    QueueOverflow,
    QueueUnderflow,
    TimeoutError,
)
from ._inline import ensureDeferred, inlineCallbacks, returnValue
from ._make import execute, fail, getDebugging, maybeDeferred, setDebugging, succeed

__all__ = [
    "AlreadyCalledError",
    "AlreadyTryingToLockError",
    "CancelledError",
    "DebugInfo",
    "Deferred",
    "FailureGroup",
    "FirstError",
    "NotACoroutineError",
    "QueueOverflow",
    "QueueUnderflow",
    "TimeoutError",
    "ensureDeferred",
    "execute",
    "fail",
    "getDebugging",
    "inlineCallbacks",
    "logError",
    "maybeDeferred",
    "passthru",
    "returnValue",
    "setDebugging",
    "succeed",
]
