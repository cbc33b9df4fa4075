"""Deferreds: results that are not there yet, functions that gather and order them, and locks and queues made of them.

Start in ``_deferred.py`` (the class) and ``_run.py`` (how callbacks run); ``_driver.py`` runs coroutines and generators.
These, and ``_start.py``, have a native twin (``rust/native/src/deferred``) that is used in their place; ``_twins.py``
chooses.
"""

from ._debug import DebugInfo, logError, passthru
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
from ._filelock import DeferredFilesystemLock
from ._gather import FAILURE, SUCCESS, DeferredList, gatherResults, race
from ._inline import inlineCallbacks, returnValue
from ._kinds import DeferredCallback, DeferredErrback
from ._make import execute, fail, getDebugging, maybeDeferred, setDebugging
from ._sync import DeferredLock, DeferredQueue, DeferredSemaphore
from ._twins import Deferred, ensureDeferred, succeed

__all__ = [
    "FAILURE",
    "SUCCESS",
    "AlreadyCalledError",
    "AlreadyTryingToLockError",
    "CancelledError",
    "DebugInfo",
    "Deferred",
    "DeferredCallback",
    "DeferredErrback",
    "DeferredFilesystemLock",
    "DeferredList",
    "DeferredLock",
    "DeferredQueue",
    "DeferredSemaphore",
    "FailureGroup",
    "FirstError",
    "NotACoroutineError",
    "QueueOverflow",
    "QueueUnderflow",
    "TimeoutError",
    "ensureDeferred",
    "execute",
    "fail",
    "gatherResults",
    "getDebugging",
    "inlineCallbacks",
    "logError",
    "maybeDeferred",
    "passthru",
    "race",
    "returnValue",
    "setDebugging",
    "succeed",
]

# They are to be imported from here, so that is where they say they live: in tracebacks, logs and pickles.
for _name in __all__:
    if getattr(globals()[_name], "__module__", "").startswith((__name__, "torsion._native")):
        globals()[_name].__module__ = __name__
del _name
