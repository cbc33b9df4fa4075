"""The type ``haproxy:`` of endpoint descriptions."""

from torsion.protocols.haproxy.parser import HAProxyServerParser

__all__ = ["haproxy"]

haproxy = HAProxyServerParser()
