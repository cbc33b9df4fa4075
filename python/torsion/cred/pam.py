"""Asking a UNIX system's PAM whether a password is right: whatever its administrator has set up, LDAP and one-time codes included.

PAM may take seconds, and after a wrong password it does so on purpose: it is asked in a thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_void_p, sizeof
from typing import Any, ClassVar

from zope.interface import implementer

from torsion.cred.checkers import ICredentialsChecker
from torsion.cred.credentials import IUsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred

__all__ = ["PluggableAuthenticationModulesChecker"]

_LIBRARIES = ("libpam.so.0", "libpam.so", "libpam.dylib")
_SUCCESS = 0
_FAILURE = 19
"""What a conversation returns that failed: some error, which one does not matter."""
_ASKS_IN_SECRET, _ASKS_OPENLY = 1, 2
_SILENT = 0x8000
_NO_EMPTY_PASSWORDS = 1


class _Message(Structure):
    _fields_: ClassVar[Any] = [("style", c_int), ("text", c_char_p)]


class _Response(Structure):
    _fields_: ClassVar[Any] = [("text", c_void_p), ("code", c_int)]


_Converse = CFUNCTYPE(c_int, c_int, POINTER(POINTER(_Message)), POINTER(c_void_p), c_void_p)


class _Conversation(Structure):
    _fields_: ClassVar[Any] = [("converse", _Converse), ("data", c_void_p)]


class _Libraries:
    """The functions of PAM, and those of C that make memory which PAM then frees."""

    def __init__(self) -> None:
        for name in _LIBRARIES:
            try:
                pam = ctypes.CDLL(name)
            except OSError:
                continue
            break
        else:
            raise NotImplementedError("this system has no PAM, or its library cannot be found: install libpam")
        c = ctypes.CDLL(None)
        self.calloc, self.strdup, self.free = c.calloc, c.strdup, c.free
        self.calloc.argtypes, self.calloc.restype = [c_size_t, c_size_t], c_void_p
        self.strdup.argtypes, self.strdup.restype = [c_char_p], c_void_p
        self.free.argtypes, self.free.restype = [c_void_p], None
        conversation = POINTER(_Conversation)
        self.start = pam.pam_start
        self.start.argtypes = [c_char_p, c_char_p, conversation, POINTER(c_void_p)]
        self.start_in = getattr(pam, "pam_start_confdir", None)  # Linux-PAM 1.4
        if self.start_in is not None:
            self.start_in.argtypes = [c_char_p, c_char_p, conversation, c_char_p, POINTER(c_void_p)]
        self.authenticate, self.acct_mgmt, self.end = pam.pam_authenticate, pam.pam_acct_mgmt, pam.pam_end
        for function in (self.authenticate, self.acct_mgmt, self.end):
            function.argtypes = [c_void_p, c_int]

    def answering(self, username: bytes, password: bytes) -> Any:
        """Return a conversation that answers questions: in secret with the password, openly with the name."""

        def converse(count: int, messages: Any, responses: Any, _: Any) -> int:
            answers = self.calloc(count, sizeof(_Response))
            if not answers:
                return _FAILURE
            written = (_Response * count).from_address(answers)
            for index in range(count):
                style = messages[index].contents.style
                if style in (_ASKS_IN_SECRET, _ASKS_OPENLY):
                    written[index].text = self.strdup(password if style == _ASKS_IN_SECRET else username)
            responses[0] = answers
            return _SUCCESS

        return _Conversation(_Converse(converse), None)


def _is_right(libraries: _Libraries, service: bytes, folder: bytes | None, username: bytes, password: bytes) -> bool:
    conversation = libraries.answering(username, password)
    handle = c_void_p()
    if folder is None:
        status = libraries.start(service, username, byref(conversation), byref(handle))
    elif libraries.start_in is None:
        raise NotImplementedError("this system's PAM has its settings in one place only")
    else:
        status = libraries.start_in(service, username, byref(conversation), folder, byref(handle))
    if status != _SUCCESS:
        return False
    try:
        status = libraries.authenticate(handle, _SILENT | _NO_EMPTY_PASSWORDS)
        if status == _SUCCESS:
            status = libraries.acct_mgmt(handle, _SILENT | _NO_EMPTY_PASSWORDS)
        return bool(status == _SUCCESS)
    finally:
        libraries.end(handle, status)


@implementer(ICredentialsChecker)
class PluggableAuthenticationModulesChecker:
    """Lets in whom the system's PAM lets in: the password must be right, and the account may not have expired."""

    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword,)

    def __init__(
        self,
        service: str = "login",
        deferToThread: Callable[..., Deferred[bool]] | None = None,
        *,
        folder: str | None = None,
    ) -> None:
        """Ask PAM.

        :param service: whose settings to use: a file in ``/etc/pam.d``.
        :param deferToThread: runs a function with arguments elsewhere, and returns a Deferred of its result; ``None`` stands for
            ``torsion.internet.threads.deferToThread``.
        :param folder: where that file is, if it is not in the system's place; needs Linux-PAM 1.4.
        :raise NotImplementedError: if the system has no PAM.
        """
        self._libraries = _Libraries()
        self._service = service.encode()
        self._folder = None if folder is None else folder.encode()
        self._defer_to_thread = deferToThread

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Return a Deferred of the user's name, as the credentials have it; see ``checkers.ICredentialsChecker``."""
        if self._defer_to_thread is None:
            from torsion.internet.threads import deferToThread

            self._defer_to_thread = deferToThread
        checked = self._defer_to_thread(self._check, credentials.username, credentials.password)
        return checked.addCallback(_let_in, credentials.username)

    def _check(self, username: str | bytes, password: str | bytes) -> bool:
        name, secret = (value.encode() if isinstance(value, str) else value for value in (username, password))
        # In C, a text ends at the first NUL: what comes after it would not be compared.
        if not name or b"\0" in name + secret:
            return False
        return _is_right(self._libraries, self._service, self._folder, name, secret)


def _let_in(matched: bool, name: Any) -> Any:
    if matched:
        return name
    raise UnauthorizedLogin("the password is wrong, or there is no such user")
