"""Twisted's names for TLS."""

from __future__ import annotations

import pytest

from torsion.internet import ssl
from torsion.internet.tls import TLSMemoryBIOFactory
from torsion.protocols import policies
from torsion.protocols import tls as protocols_tls


def test_all_names_are_there():
    assert ssl.supported
    assert ssl.DN is ssl.DistinguishedName
    assert all(hasattr(ssl, name) for name in ssl.__all__)


def test_the_layer_is_a_wrapping_protocol():
    assert protocols_tls.TLSMemoryBIOFactory is TLSMemoryBIOFactory
    assert issubclass(protocols_tls.TLSMemoryBIOProtocol, policies.ProtocolWrapper)
    assert issubclass(protocols_tls.TLSMemoryBIOFactory, policies.WrappingFactory)
    assert issubclass(protocols_tls.BufferingTLSTransport, protocols_tls.TLSMemoryBIOProtocol)


def test_what_is_deprecated_still_answers():
    with pytest.deprecated_call():
        found = ssl.protocolNegotiationMechanisms()
    assert ssl.ProtocolNegotiationSupport.ALPN in found
