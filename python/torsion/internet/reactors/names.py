"""The names that a reactor looks up, by whichever resolver is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorPluggableNameResolver, IReactorPluggableResolver
from torsion.internet.transports.numeric import isIPAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IHostnameResolver, IResolverSimple

__all__ = ["PluggableResolverMixin"]


class PluggableResolverMixin:
    """A reactor that looks names up in threads until a program installs something else.

    What that takes is imported when the first name is looked up: many programs never do.
    """

    def __init__(self) -> None:
        self._resolver: IResolverSimple | None = None
        self._name_resolver: IHostnameResolver | None = None

    def resolve(self, name: str | bytes, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """Look up an IPv4 address of a host, without blocking.

        :param name: the host's name, text or ASCII; a numeric IPv4 address is its own answer, and an empty name means all
            interfaces.
        :param timeout: the sum of these is the number of seconds after which to give up.
        :returns: a Deferred that fires with the address in dotted-quad form, or fails with
            :class:`torsion.internet.error.DNSLookupError`.
        """
        if isinstance(name, bytes):
            name = name.decode("ascii")
        if not name or isIPAddress(name):
            from torsion.internet.defer import succeed

            return succeed(name or "0.0.0.0")  # noqa: S104 - documented: all interfaces
        return self.resolver.getHostByName(name, timeout)

    @property
    def resolver(self) -> IResolverSimple:
        """What :meth:`resolve` asks."""
        if self._resolver is None:
            from torsion.internet.reactors.resolver import ComplexResolverSimplifier

            self._resolver = ComplexResolverSimplifier(self.nameResolver, self)
        return self._resolver

    @property
    def nameResolver(self) -> IHostnameResolver:
        """What finds all addresses of a host; see ``IReactorPluggableNameResolver``."""
        if self._name_resolver is None:
            from torsion.internet.reactors.resolver import GAIResolver

            self._name_resolver = GAIResolver(self)
        return self._name_resolver

    def installResolver(self, resolver: IResolverSimple) -> IResolverSimple:
        """Look names up by *resolver* from now on, in :meth:`resolve` and elsewhere.

        :returns: the one that did so until now.
        """
        from torsion.internet.reactors.resolver import SimpleResolverComplexifier

        previous = self.resolver
        self._resolver = resolver
        self._name_resolver = SimpleResolverComplexifier(resolver)
        return previous

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Look names up by *resolver* from now on, in :meth:`resolve` and elsewhere.

        :returns: the one that did so until now.
        """
        from torsion.internet.reactors.resolver import ComplexResolverSimplifier

        previous = self.nameResolver
        self._name_resolver = resolver
        self._resolver = ComplexResolverSimplifier(resolver, self)
        return previous


classImplements(PluggableResolverMixin, IReactorPluggableResolver, IReactorPluggableNameResolver)
