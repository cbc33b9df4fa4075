"""Names to addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces.core import IAddress

    _Records: TypeAlias = Deferred[tuple[list[Any], list[Any], list[Any]]]


class IResolverSimple(Interface):
    """Looks up one IPv4 address for a name."""

    def getHostByName(name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """Look up the address of a host.

        :param name: the host's name.
        :param timeout: how many seconds to wait for an answer, one number for each attempt; empty for the
            resolver's own choice.
        :returns: a Deferred that fires with a numeric address. It fails with
            :class:`torsion.internet.error.DNSLookupError` if there is none, or no answer in time.
        """


class IResolver(IResolverSimple):
    """Asks the domain name system for records of any kind.

    Every look-up takes the same two things and gives the same one:

    * ``name``: the domain name, as ``str`` or ``bytes``.
    * ``timeout``: how many seconds to wait for an answer, one number for each attempt; None for the resolver's choice.
    * A Deferred that fires with three lists of resource records: the answers, those on authority, and additional ones.
      It fails with a subclass of ``torsion.names.error.DomainError`` that tells the server's refusal, such as a name
      that does not exist, or with ``torsion.names.error.DNSQueryTimeoutError``.
    """

    def query(query: Any, timeout: Sequence[int] | None) -> _Records:
        """Ask for what *query* says: its name, type and class (a ``torsion.names.dns.Query``)."""

    def lookupAddress(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the IPv4 addresses (A records) of *name*."""

    def lookupAddress6(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the IPv6 addresses in the form of A6 records of *name*."""

    def lookupIPV6Address(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the IPv6 addresses (AAAA records) of *name*."""

    def lookupMailExchange(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the mail exchangers (MX records) of *name*."""

    def lookupNameservers(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the name servers (NS records) of *name*."""

    def lookupCanonicalName(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the canonical names (CNAME records) of *name*."""

    def lookupMailBox(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the mailboxes (MB records) of *name*."""

    def lookupMailGroup(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the mail group members (MG records) of *name*."""

    def lookupMailRename(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the mail renames (MR records) of *name*."""

    def lookupPointer(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the pointers (PTR records) of *name*."""

    def lookupAuthority(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the start of authority (SOA records) of *name*."""

    def lookupNull(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the null records (NULL) of *name*."""

    def lookupWellKnownServices(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the well-known services (WKS records) of *name*."""

    def lookupHostInfo(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the host information (HINFO records) of *name*."""

    def lookupMailboxInfo(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the mailbox information (MINFO records) of *name*."""

    def lookupText(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the texts (TXT records) of *name*."""

    def lookupResponsibility(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the responsible persons (RP records) of *name*."""

    def lookupAFSDatabase(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the AFS cell databases (AFSDB records) of *name*."""

    def lookupService(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the service locations (SRV records) of *name*."""

    def lookupAllRecords(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up records of every type of *name*."""

    def lookupSenderPolicy(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the sender policies (SPF records) of *name*."""

    def lookupNamingAuthorityPointer(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the naming authority pointers (NAPTR records) of *name*."""

    def lookupZone(name: str | bytes, timeout: Sequence[int] | None) -> _Records:
        """Look up the whole zone, by zone transfer (AXFR) of *name*."""


class IHostResolution(Interface):
    """A look-up of a host name that is under way."""

    name = Attribute("""The name that is looked up (a str).""")

    def cancel() -> None:
        """Give the look-up up; the receiver hears no more of it."""


class IResolutionReceiver(Interface):
    """Told what a look-up of a host name finds, address by address.

    The calls come in this order: one :meth:`resolutionBegan`, any number of :meth:`addressResolved`, one
    :meth:`resolutionComplete`.
    """

    def resolutionBegan(resolutionInProgress: IHostResolution) -> None:
        """Be told that the look-up begins.

        :param resolutionInProgress: by which it can be cancelled.
        """

    def addressResolved(address: IAddress) -> None:
        """Be told of one address of the host.

        :param address: with the port that was asked for.
        """

    def resolutionComplete() -> None:
        """Be told that there are no more addresses; a host that was not found had none."""


class IHostnameResolver(Interface):
    """Looks up all addresses of a host, of any family."""

    def resolveHostName(
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Look up the addresses of a host.

        :param resolutionReceiver: told what is found.
        :param hostName: the host's name; names with other than ASCII letters are encoded by IDNA.
        :param portNumber: the port number that the addresses are to carry.
        :param addressTypes: which classes of address are wanted, such as ``IPv4Address``; None for all.
        :param transportSemantics: ``TCP`` or ``UDP``, the type that the addresses are to carry.
        :returns: the look-up.
        """


class IReactorPluggableResolver(Interface):
    """A reactor whose way of looking up IPv4 addresses can be replaced."""

    def installResolver(resolver: IResolverSimple) -> IResolverSimple:
        """Look names up with *resolver* from now on.

        :returns: the one that was used until now.
        """


class IReactorPluggableNameResolver(Interface):
    """A reactor whose way of looking up host names can be replaced."""

    nameResolver = Attribute("""The :class:`IHostnameResolver` in use.""")

    def installNameResolver(resolver: IHostnameResolver) -> IHostnameResolver:
        """Look names up with *resolver* from now on.

        :returns: the one that was used until now.
        """
