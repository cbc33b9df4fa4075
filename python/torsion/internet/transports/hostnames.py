"""Host names in other alphabets, in the form that DNS and certificates have."""

from __future__ import annotations

__all__ = ["to_ascii"]

_LONGEST_LABEL = 63  # RFC 1035, 2.3.4
_LONGEST_NAME = 253


def to_ascii(host: str) -> str:
    """Return the form of a host's name that DNS and certificates have: IDNA 2008 (RFC 5891), without a last dot.

    :param host: a name, in any alphabet.
    :raises ValueError: if it can be no host's name.
    """
    bare = host.removesuffix(".")
    if bare.isascii():
        # Names with an underscore are in use, though no rule of IDNA lets them through.
        labels = bare.split(".")
        if not bare or len(bare) > _LONGEST_NAME or any(not 0 < len(label) <= _LONGEST_LABEL for label in labels):
            raise ValueError(f"{host!r} cannot be a host's name: it is empty, too long, or has such a part")
        if not bare.isprintable() or " " in bare:
            raise ValueError(f"{host!r} cannot be a host's name: there is a blank or a control character in it")
        return bare.lower()
    try:
        import idna
    except ImportError:  # the standard library knows the older rules (IDNA 2003), which differ for few names
        return bare.encode("idna").decode("ascii").lower()
    return idna.encode(bare, uts46=True).decode("ascii")
