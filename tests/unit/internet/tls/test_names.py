"""Distinguished names."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.tls.names import DN, DistinguishedName, from_x509, to_x509

FIELDS = {
    "CN": "commonName",
    "O": "organizationName",
    "OU": "organizationalUnitName",
    "L": "localityName",
    "ST": "stateOrProvinceName",
    "C": "countryName",
}


@pytest.mark.parametrize(("short", "long"), FIELDS.items())
def test_both_names_of_a_field(short, long):
    name = DN(**{short: "ab"})
    assert name == DistinguishedName(**{long: b"ab"}) == {long: b"ab"}
    assert getattr(name, short) == getattr(name, long) == name[long] == b"ab"
    setattr(name, short, "cd")
    assert name[long] == b"cd"
    delattr(name, short)
    assert name == {}
    with pytest.raises(AttributeError):
        getattr(name, short)
    with pytest.raises(AttributeError):
        delattr(name, long)


def test_a_field_that_there_is_not():
    with pytest.raises(AttributeError, match=r"nickname.*commonName"):
        DN(nickname="x")
    with pytest.raises(AttributeError):
        DN().Cn = "x"


def test_reading_by_people():
    name = DN(CN="a host", OU="a unit", emailAddress="a@b.example")
    assert name.inspect() == (
        "               Common Name: a host\n"
        "             Email Address: a@b.example\n"
        "  Organizational Unit Name: a unit"
    )
    assert repr(DN(CN="x")) == str(DN(CN="x")) == "<DN 'commonName': b'x'>"


@given(
    st.dictionaries(st.sampled_from(sorted({*FIELDS.values()} - {"countryName"})), st.text("abc \u00e4", min_size=1))
)
def test_there_and_back(fields):
    name = DistinguishedName(**fields)
    assert from_x509(to_x509(name)) == name
    assert name == {field: value.encode() for field, value in fields.items()}


def test_impossible_values_are_named():
    with pytest.raises(ValueError, match="countryName='Germany'"):
        to_x509(DN(C="Germany"))


def test_what_has_no_field_here():
    name = x509.Name([x509.NameAttribute(NameOID.GIVEN_NAME, "Alice"), x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    assert from_x509(name) == {"commonName": b"x"}
    with pytest.raises(ValueError, match="givenName"):
        from_x509(name, strict=True)
