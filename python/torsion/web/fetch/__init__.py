"""Get something from the Web, in one line: ``response = await fetch("https://example.com/")``.

``client`` does it, and keeps connections and cookies · ``answer`` what comes back · ``bodies`` what is sent · ``here`` the
client of those who make none.
"""

from __future__ import annotations

from torsion.web.client import RequestTimedOut, Timeouts
from torsion.web.fetch.answer import Answer, BodyTooLarge, StatusError
from torsion.web.fetch.client import Client
from torsion.web.fetch.here import fetch

__all__ = ["Answer", "BodyTooLarge", "Client", "RequestTimedOut", "StatusError", "Timeouts", "fetch"]
