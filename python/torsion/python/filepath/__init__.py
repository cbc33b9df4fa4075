"""Paths that are safe to derive from what strangers send: ``FilePath``, its status, copying, moving and replacing.

Start in ``_path.py``; ``_names.py`` says which names are refused.
"""

from base64 import urlsafe_b64encode as armor
from os import urandom as randomBytes  # noqa: N812 - Twisted's names for the two

from ._abstract import AbstractFilePath, FileMode
from ._errors import InsecurePath, LinkError, UnlistableError
from ._interfaces import IFilePath
from ._names import OtherAnyStr
from ._path import FilePath
from ._permissions import RWX, Permissions

__all__ = [
    "RWX",
    "AbstractFilePath",
    "FileMode",
    "FilePath",
    "IFilePath",
    "InsecurePath",
    "LinkError",
    "OtherAnyStr",
    "Permissions",
    "UnlistableError",
    "armor",
    "randomBytes",
]

# They are to be imported from here, so that is where they say they live: in tracebacks, logs and pickles.
for _name in __all__:
    if isinstance(globals()[_name], type) and globals()[_name].__module__.startswith(__name__):
        globals()[_name].__module__ = __name__
del _name
