"""pyOpenSSL, which only those need who bring its contexts or ask for what rustls lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["crypto_module", "ssl_module"]

_REMEDY = "this needs pyOpenSSL, which is not installed: pip install 'torsion[pyopenssl]'"


def ssl_module() -> Any:
    """Return the module ``OpenSSL.SSL``.

    :raises ImportError: if pyOpenSSL is not installed; it says how to install it.
    """
    try:
        from OpenSSL import SSL
    except ImportError as missing:
        raise ImportError(_REMEDY, name="OpenSSL") from missing
    module: ModuleType = SSL
    return module


def crypto_module() -> Any:
    """Return the module ``OpenSSL.crypto``.

    :raises ImportError: if pyOpenSSL is not installed; it says how to install it.
    """
    try:
        from OpenSSL import crypto
    except ImportError as missing:
        raise ImportError(_REMEDY, name="OpenSSL") from missing
    module: ModuleType = crypto
    return module
