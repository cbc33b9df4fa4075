"""Small helpers that fit nowhere else, under Twisted's names."""

import sys

from ._dicts import InsensitiveDict
from ._functions import mergeFunctionMetadata, raises, runWithWarningsSuppressed, spewer, untilConcludes
from ._lists import IntervalDifferential, LineLog, padTo, uniquify
from ._mixins import FancyEqMixin, FancyStrMixin
from ._texts import makeStatBar, nameToLabel, println, searchupwards, sibpath, str_xor
from ._users import getPassword, gidFromString, uidFromString

__all__ = [
    "FancyEqMixin",
    "FancyStrMixin",
    "InsensitiveDict",
    "IntervalDifferential",
    "LineLog",
    "getPassword",
    "gidFromString",
    "makeStatBar",
    "mergeFunctionMetadata",
    "nameToLabel",
    "padTo",
    "println",
    "raises",
    "runWithWarningsSuppressed",
    "searchupwards",
    "sibpath",
    "spewer",
    "str_xor",
    "uidFromString",
    "uniquify",
    "untilConcludes",
]

if sys.platform != "win32":
    from os import getgroups, setgroups

    from ._users import initgroups, runAsEffectiveUser, switchUID

    __all__ += ["getgroups", "initgroups", "runAsEffectiveUser", "setgroups", "switchUID"]

# They are to be imported from here, so that is where they say they live: in tracebacks, logs and pickles.
for _name in __all__:
    if getattr(globals()[_name], "__module__", "").startswith(__name__):
        globals()[_name].__module__ = __name__
del _name
