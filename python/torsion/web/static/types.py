"""Which type a file has, by the extension of its name."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

__all__ = ["getTypeAndEncoding", "loadMimeTypes"]

_OURS: Final = {
    ".avif": "image/avif",
    ".conf": "text/plain",
    ".diff": "text/x-diff",
    ".flac": "audio/flac",
    ".java": "text/x-java",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".patch": "text/x-diff",
    ".py": "text/x-python",
    ".rst": "text/x-rst",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".yaml": "application/yaml",
}
"""Types that are the same on all machines: browsers do not run a script, or WebAssembly, of another type."""


def loadMimeTypes(
    mimetype_locations: Sequence[str] | None = None, init: Callable[[Any], None] = mimetypes.init
) -> dict[str, str]:
    """Return the types that this machine knows, by extension with the dot, in lower case.

    :param mimetype_locations: files in the format of ``mime.types``, to be read besides the usual ones.
    :param init: reads them.
    """
    init(mimetype_locations)
    return {**mimetypes.types_map, **_OURS}


def getTypeAndEncoding(
    filename: str, types: Mapping[str, str], encodings: Mapping[str, str], defaultType: Any
) -> tuple[Any, str | None]:
    """Return the type of a file, and how it is encoded, or None.

    :param filename: its name or path: ``a.tar.gz`` is a ``.tar``, encoded.
    :param types: by extension.
    :param encodings: by extension.
    :param defaultType: the type of those that *types* lacks.
    """
    slash = filename.rfind(os.sep)
    dot = filename.rfind(".")
    if dot <= slash + 1:  # no extension, or a name that begins with its only dot
        return defaultType, None
    extension = filename[dot:].lower()
    encoding = encodings.get(extension)
    if encoding is not None:
        end, dot = dot, filename.rfind(".", slash + 2, dot)
        extension = filename[dot:end].lower() if dot > 0 else ""
    return types.get(extension, defaultType), encoding
