"""What ``getHandle`` gives for a connection that is secured natively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from torsion.internet.tls.certificates import peer_certificate
from torsion.internet.tls.ciphers import NATIVE_SUITES
from torsion.internet.tls.errors import TLSError, make

if TYPE_CHECKING:
    from torsion._native import Stream

__all__ = ["ConnectionHandle"]

_OPENSSL_NAMES = {iana: openssl for openssl, iana in NATIVE_SUITES.items()}
_VERSION_NAMES = {0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


class ConnectionHandle:
    """A secure connection, with those methods of an ``OpenSSL.SSL.Connection`` that tell something of it.

    Programs written for Twisted ask the handle of a connection for its cipher, for instance.  There is no OpenSSL
    connection behind this one, so it neither sends nor receives: that is the transport's.
    """

    def __init__(self, stream: Stream) -> None:
        """Tell of a connection.

        :param stream: the connection.
        """
        self._stream: Any = stream

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._stream!r}>"

    def get_peer_certificate(self) -> Any:
        """Return the peer's certificate; None if it showed none."""
        chain = self._stream.peer_certificates()
        return peer_certificate(chain[0]) if chain else None

    def get_peer_cert_chain(self) -> list[Any] | None:
        """Return the certificates that the peer showed, its own first; None if it showed none."""
        return [peer_certificate(each) for each in self._stream.peer_certificates()] or None

    def get_certificate(self) -> Any:
        """Return the certificate that this end has shown; None if it has none, or spoke plainly at first."""
        road = getattr(self._stream.owner, "road", None)
        der = None if road is None else road.certificate(self._stream.tls_server_name())
        return None if der is None else peer_certificate(der)

    def get_protocol_version(self) -> int:
        """Return the version of TLS, by its number on the wire; 0 before the handshake is over."""
        return self._stream.tls_version() or 0

    def get_protocol_version_name(self) -> str:
        """Return the version of TLS, by name."""
        return _VERSION_NAMES.get(self.get_protocol_version(), "unknown")

    def get_cipher_name(self) -> str | None:
        """Return OpenSSL's name of the cipher suite; None before the handshake is over."""
        name: str | None = self._stream.tls_cipher()
        return None if name is None else _OPENSSL_NAMES.get(name, name)

    def get_cipher_version(self) -> str | None:
        """Return the version of TLS that the cipher suite belongs to; None before the handshake is over."""
        return self.get_protocol_version_name() if self._stream.tls_cipher() else None

    def get_cipher_bits(self) -> int | None:
        """Return how long the key of the cipher is; None before the handshake is over."""
        name = self._stream.tls_cipher()
        return None if name is None else 128 if "AES_128" in name else 256

    def get_alpn_proto_negotiated(self) -> bytes:
        """Return the application protocol that was agreed upon; empty if there is none."""
        return self._stream.negotiated_protocol() or b""

    def get_servername(self) -> bytes | None:
        """Return the host that the client asked for; None if it did not say, or on a client's side."""
        name = self._stream.tls_server_name()
        return None if name is None else name.encode("ascii")

    def send(self, buf: Any, flags: int = 0) -> NoReturn:
        """Refuse: data is sent by the transport's ``write``.

        :raises TLSError: always; once the connection is closed, it says so as OpenSSL does.
        """
        if not self._stream.connected:
            # What programs look for that use a handle too long.
            gone = [("SSL routines", "", "protocol is shutdown")]
            raise make(TLSError, "The connection is closed", arguments=(gone,))
        raise make(TLSError, "This handle only tells of its connection: send by the transport's write")

    sendall = write = send

    def recv(self, bufsiz: int, flags: int = 0) -> NoReturn:
        """Refuse: data is received by the protocol's ``dataReceived``.

        :raises TLSError: always.
        """
        self.send(b"")

    read = recv
