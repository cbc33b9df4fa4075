"""HTTP authentication through ``torsion.cred``: ``wrapper`` the resource · ``basic`` and ``digest`` the schemes."""

from torsion.web.guard.basic import BasicCredentialFactory
from torsion.web.guard.digest import DigestCredentialFactory
from torsion.web.guard.wrapper import HTTPAuthSessionWrapper

__all__ = ["BasicCredentialFactory", "DigestCredentialFactory", "HTTPAuthSessionWrapper"]
