"""Command lines: what a program's options are, parsing them, help, and completion in zsh, bash and fish.

Start in ``_options.py``; ``_described.py`` is what the three shells' files have in common.
"""

from ._completers import (
    CompleteDirs,
    CompleteFiles,
    CompleteGroups,
    CompleteHostnames,
    CompleteList,
    CompleteMultiList,
    CompleteNetInterfaces,
    Completer,
    CompleteUserAtHost,
    CompleteUsernames,
    Completions,
)
from ._completion import completionScript
from ._errors import UsageError, error
from ._files import argumentsFromFile
from ._help import docMakeChunks
from ._options import Options
from ._values import CoerceParameter, flagFunction, portCoerce

__all__ = [
    "CoerceParameter",
    "CompleteDirs",
    "CompleteFiles",
    "CompleteGroups",
    "CompleteHostnames",
    "CompleteList",
    "CompleteMultiList",
    "CompleteNetInterfaces",
    "CompleteUserAtHost",
    "CompleteUsernames",
    "Completer",
    "Completions",
    "Options",
    "UsageError",
    "argumentsFromFile",
    "completionScript",
    "docMakeChunks",
    "error",
    "flagFunction",
    "portCoerce",
]

# They are to be imported from here, so that is where they say they live: in tracebacks, logs and pickles.
for _name in __all__:
    if getattr(globals()[_name], "__module__", "").startswith(__name__):
        globals()[_name].__module__ = __name__
del _name
