"""Which cookies are kept, and who gets them: stricter than the standard library, by RFC 6265."""

from __future__ import annotations

from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from torsion.internet.abstract import isIPAddress, isIPv6Address

if TYPE_CHECKING:
    from urllib.request import Request

__all__ = ["CookiePolicy", "tighten"]


class CookiePolicy(DefaultCookiePolicy):
    """The standard library's policy, but for what of it lets cookies go where they should not.

    * A cookie without ``Domain`` goes back to its host, not to the hosts below that (RFC 6265, section 5.3).
    * An address has no domain: 10.0.0.1 does not get what 127.0.0.1 has set for ``0.0.1``.
    * Domains like ``co.uk`` are nobody's.  There is no list of public suffixes beyond that: a host of ``github.io`` can set
      cookies for its neighbours.
    * A cookie is ``Secure`` only if it came over TLS, and the prefixes ``__Secure-`` and ``__Host-`` of its name are heeded
      (RFC 6265bis, section 4.1.3).
    """

    def __init__(self) -> None:
        """Begin with the standard library's settings."""
        super().__init__(strict_domain=True, strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        """Return whether a cookie that *request*'s response has is kept."""
        safe = request.type in {"https", "wss"}
        if cookie.secure and not safe:
            return False
        if cookie.name.startswith(("__Secure-", "__Host-")) and not cookie.secure:
            return False
        if cookie.name.startswith("__Host-") and (cookie.domain_specified or cookie.path != "/"):
            return False
        host = urlsplit(request.get_full_url()).hostname or ""
        if cookie.domain_specified and (isIPAddress(host) or isIPv6Address(host)):
            return False  # it would be taken for the end of other addresses
        return super().set_ok(cookie, request)


def tighten(jar: CookieJar) -> None:
    """Have a jar whose policy is the standard library's use :class:`CookiePolicy`; one with a policy of its own keeps that.

    What was set in the policy, such as blocked domains, holds on.
    """
    old = getattr(jar, "_policy", None)
    if type(old) is DefaultCookiePolicy:
        new = CookiePolicy()
        strict = {"strict_domain": True, "strict_ns_domain": old.strict_ns_domain | new.strict_ns_domain}
        vars(new).update(vars(old), **strict)
        jar.set_policy(new)
