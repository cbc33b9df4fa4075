"""Who somebody is, and what that person may do: credentials, checkers, realms and portals.

A server has a ``portal.Portal`` with a realm, which is the application's, and ``checkers``.  It makes ``credentials`` of what a
client sent, and asks the portal to log in with them: the checker that knows this kind says whose they are, or fails with one of
``error``; the realm then gives the *avatar*, the object that acts for that user.  ``strcred`` makes checkers from command lines,
``digest`` computes HTTP's digests, ``scrypt`` makes hashes of passwords, ``unix`` and ``pam`` ask the system.

Whatever is secret is compared in a time that does not tell how much of it was right (``compare``).
"""

from __future__ import annotations

__all__: list[str] = []
