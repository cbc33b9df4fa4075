"""Files, folders and bytes as resources.

``file`` what a site's folder is · ``sending`` how a file is sent, ``opening`` how it is opened, ``kept`` small ones · ``conditions`` who has it already · ``ranges`` parts of it · ``producers`` send it ·
``listing`` a folder as a page · ``types`` of files · ``data`` bytes, redirections, scripts' registry.
"""

from torsion.web.static.data import ASISProcessor, Data, Redirect, Registry, addSlash, dangerousPathError, isDangerous
from torsion.web.static.file import File
from torsion.web.static.listing import DirectoryLister, formatFileSize
from torsion.web.static.producers import (
    MultipleRangeStaticProducer,
    NoRangeStaticProducer,
    SingleRangeStaticProducer,
    StaticProducer,
)
from torsion.web.static.types import getTypeAndEncoding, loadMimeTypes

__all__ = [
    "ASISProcessor",
    "Data",
    "DirectoryLister",
    "File",
    "MultipleRangeStaticProducer",
    "NoRangeStaticProducer",
    "Redirect",
    "Registry",
    "SingleRangeStaticProducer",
    "StaticProducer",
    "addSlash",
    "dangerousPathError",
    "formatFileSize",
    "getTypeAndEncoding",
    "isDangerous",
    "loadMimeTypes",
]
