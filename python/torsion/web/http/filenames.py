"""Names of files, as clients send them, made such that they can be names of files."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_FILENAME", "cleanFilename"]

MAX_FILENAME: Final = 200
"""So many bytes a name may have in UTF-8: file systems take 255, and programs add to names."""

_UNUSABLE: Final = re.compile(r'[<>:"|?*]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_DEFAULT: Final = "upload"


def cleanFilename(name: str) -> str:
    """Return a name for a file that a client has named.

    It has no folder, none of the characters that systems or people take for something else (control characters, directions of writing, those
    that Windows refuses), neither begins nor ends with a dot, is no device of Windows, and is not too long.  It may well be the name of
    a file that exists, and says nothing of what is in the file.

    :param name: what the client has sent; a folder before it is left out.
    :returns: the name; ``upload`` if there is nothing left of it.
    """
    import unicodedata  # late: it is large

    name = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    name = "".join(each for each in name if unicodedata.category(each)[0] != "C" and each not in "\u2028\u2029")
    name = _UNUSABLE.sub("_", name).strip(" .")
    if _DEVICES.match(name):
        name = "_" + name
    if len(name.encode("utf-8")) > MAX_FILENAME:
        stem, dot, suffix = name.rpartition(".")
        end = dot + suffix if dot and len(suffix) <= 10 else ""
        room = MAX_FILENAME - len(end.encode("utf-8"))
        name = (stem if end else name).encode("utf-8")[:room].decode("utf-8", "ignore").rstrip(" .") + end
    return name or _DEFAULT
