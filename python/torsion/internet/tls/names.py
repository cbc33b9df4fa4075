"""Distinguished names: who a certificate is for, and who issued it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DN", "DistinguishedName", "from_x509", "to_x509"]

_OIDS: Mapping[str, x509.ObjectIdentifier] = {
    "commonName": NameOID.COMMON_NAME,
    "organizationName": NameOID.ORGANIZATION_NAME,
    "organizationalUnitName": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "localityName": NameOID.LOCALITY_NAME,
    "stateOrProvinceName": NameOID.STATE_OR_PROVINCE_NAME,
    "countryName": NameOID.COUNTRY_NAME,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
_FIELDS = {oid: name for name, oid in _OIDS.items()}
_SHORT: Mapping[str, str] = {
    "CN": "commonName",
    "O": "organizationName",
    "OU": "organizationalUnitName",
    "L": "localityName",
    "ST": "stateOrProvinceName",
    "C": "countryName",
    "emailAddress": "emailAddress",
}
_LABEL_WIDTH = 26  # of the longest label


class DistinguishedName(dict[str, bytes]):
    """Who somebody is, in the terms of X.509: a dictionary whose items are attributes as well.

    The fields are ``commonName`` (``CN``), ``organizationName`` (``O``), ``organizationalUnitName`` (``OU``),
    ``localityName`` (``L``), ``stateOrProvinceName`` (``ST``), ``countryName`` (``C``) and ``emailAddress``; either name
    of a field reads and sets it.  Values are bytes, in UTF-8; text is encoded when it is set.
    """

    __slots__ = ()

    def __init__(self, **kw: str | bytes) -> None:
        """Name somebody.

        :param kw: the fields.
        :raises AttributeError: for one that is not listed above.
        """
        super().__init__()
        for field, value in kw.items():
            setattr(self, field, value)

    def __getattr__(self, field: str) -> bytes:
        try:
            return self[_SHORT.get(field, field)]
        except KeyError:
            raise AttributeError(field) from None

    def __setattr__(self, field: str, value: str | bytes) -> None:
        name = _SHORT.get(field, field)
        if name not in _OIDS:
            raise AttributeError(
                f"{field} is no field of a distinguished name; these are {', '.join([*_OIDS, *list(_SHORT)[:-1]])}"
            )
        self[name] = value.encode() if isinstance(value, str) else bytes(value)

    def __delattr__(self, field: str) -> None:
        try:
            del self[_SHORT.get(field, field)]
        except KeyError:
            raise AttributeError(field) from None

    def __repr__(self) -> str:
        return f"<DN {dict.__repr__(self)[1:-1]}>"

    __str__ = __repr__

    def inspect(self) -> str:
        """Return the fields that are set, a line each, for people to read."""
        lines = []
        for field in sorted(self):
            words = "".join(f" {letter}" if letter.isupper() else letter for letter in field)
            lines.append(f"{words.title():>{_LABEL_WIDTH}}: {self[field].decode('utf-8', 'replace')}")
        return "\n".join(lines)


DN = DistinguishedName
"""The same, for those in a hurry."""


def to_x509(name: Mapping[str, Any]) -> x509.Name:
    """Return *name* as ``cryptography`` has it.

    :raises ValueError: if a field has an impossible value, such as a country of other than two letters.
    """
    attributes = []
    for field, value in name.items():
        text = value.decode() if isinstance(value, bytes) else str(value)
        try:
            attributes.append(x509.NameAttribute(_OIDS[_SHORT.get(field, field)], text))
        except ValueError as wrong:
            raise ValueError(f"{field}={text!r}: {wrong}") from wrong
    return x509.Name(attributes)


def from_x509(name: x509.Name, strict: bool = False) -> DistinguishedName:
    """Return a name of ``cryptography``'s; of a field that occurs several times, the last.

    :param strict: raise for what has no field here, instead of leaving it out.
    :raises ValueError: see *strict*.
    """
    found = DistinguishedName()
    for attribute in name:
        field = _FIELDS.get(attribute.oid)
        if field is not None:
            value = attribute.value
            found[field] = value if isinstance(value, bytes) else value.encode()
        elif strict:
            raise ValueError(f"{attribute.oid.dotted_string} ({attribute.oid._name}) is no field that is known here")
    return found
