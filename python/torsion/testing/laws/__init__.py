"""Laws to hold protocols and codecs to, as tests: state one by giving its result a name that begins with ``Test``.

``codecs`` · ``protocols`` (``driving``, ``retained``) · ``agreement`` of two ends.  Needs ``torsion[testing]``.
"""

from torsion.testing.laws.agreement import agreement_laws
from torsion.testing.laws.codecs import (
    Reader,
    RequeueingReader,
    codec_laws,
    decoded,
    framer_laws,
)
from torsion.testing.laws.driving import Outcome, drive
from torsion.testing.laws.protocols import protocol_laws
from torsion.testing.laws.retained import retained_bytes

__all__ = [
    "Outcome",
    "Reader",
    "RequeueingReader",
    "agreement_laws",
    "codec_laws",
    "decoded",
    "drive",
    "framer_laws",
    "protocol_laws",
    "retained_bytes",
]
