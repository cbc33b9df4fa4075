"""Why somebody was not let in."""

from __future__ import annotations

__all__ = ["LoginDenied", "LoginFailed", "Unauthorized", "UnauthorizedLogin", "UnhandledCredentials"]


class Unauthorized(Exception):
    """Something was not allowed."""


class LoginFailed(Exception):
    """The user was not let in, for whatever reason: for all of them there is this one to catch."""


class UnauthorizedLogin(LoginFailed, Unauthorized):
    """The credentials are wrong: no such user, or not that user's password.  It does not say which of the two."""


class UnhandledCredentials(LoginFailed):
    """No checker knows this kind of credentials."""


class LoginDenied(LoginFailed):
    """The realm let this user not in, or not for what was asked."""
