"""What a process gives away, or changes about itself, before it serves: its folder, its root, its umask, its user.

In this order: the umask; the service is made; the root of files, then the folder; what needs rights is started; the group, then the
user.  Names of files on the command line are those of the folder in which it was called.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.logger import Logger
from torsion.python.usage import CompleteDirs, CompleteGroups, Completer, CompleteUsernames, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.application.runner.run import Run

__all__ = ["DAEMON_UMASK", "Privileges", "give_away"]

DAEMON_UMASK = 0o077
"""The umask of a process in the background for which none is given: nobody else reads what it writes."""

_log = Logger("torsion.application.runner")


def _octal(text: str) -> int:
    try:
        mask = int(text, 8)
    except ValueError:
        mask = -1
    if not 0 <= mask <= 0o777:
        raise ValueError(f"{text!r} is no umask, which has up to three digits from 0 to 7")
    return mask


def _user(text: str) -> int:
    from torsion.python.util import uidFromString

    return _number(text, uidFromString, "user")


def _group(text: str) -> int:
    from torsion.python.util import gidFromString

    return _number(text, gidFromString, "group")


def _number(text: str, look_up: Any, what: str) -> int:
    try:
        number: int = look_up(text)
    except (KeyError, ImportError):  # ImportError: a system without users that can be looked up so
        raise ValueError(f"there is no {what} {text!r} here") from None
    if number < 0:
        raise ValueError(f"a {what}'s number is not negative, as {text!r} is")
    return number


class Privileges(Fitting):
    """Changes the process as asked for."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        ("rundir", "d", None, "Run in this folder; with --chroot, as it is called within.", None),
        ("chroot", None, None, "Have this folder for the root of all files; needs root.", None),
        ("uid", "u", None, "Run as this user, a name or a number, once what needs root is started.", _user),
        ("gid", "g", None, "Run as this group, a name or a number; the user's own if only --uid is given.", _group),
        (
            "umask",
            None,
            None,
            "What of its files others may not do, in octal digits; 0077 with --daemon if none is given.",
            _octal,
        ),
    )
    completions: ClassVar[Mapping[str, Completer]] = {
        "rundir": CompleteDirs(),
        "chroot": CompleteDirs(),
        "uid": CompleteUsernames(),
        "gid": CompleteGroups(),
    }

    def check(self, run: Run) -> None:
        """Check that nothing is asked for that this system does not have.

        :raise UsageError: if there is.
        """
        for name in ("chroot", "uid", "gid"):
            if run.options[name] is not None and os.name != "posix":
                raise UsageError(f"--{name} does not work on this system")

    def begin(self, run: Run) -> None:
        """Set the umask, which is to hold for whatever is made from now on."""
        options = run.options
        umask = options["umask"]
        if umask is None and options["daemon"]:
            umask = DAEMON_UMASK
        if umask is not None:
            os.umask(umask)

    def fit(self, run: Run) -> None:
        """Do the rest when its time has come."""
        self._run = run
        run.onMade.append(self._move)
        run.onBound.append(self._drop)

    def _move(self) -> None:
        chroot, rundir = self._run.options["chroot"], self._run.options["rundir"]
        if self._run.supervises and chroot is not None:
            return  # each worker moves there by itself: from within, the master could start none
        if chroot is not None:
            from torsion.application.runner.preload import preload

            preload()
            try:
                os.chroot(chroot)
                os.chdir("/")
            except OSError as problem:
                needs = "; --chroot needs root" if isinstance(problem, PermissionError) else ""
                raise StartError(f"cannot make {chroot} the root of all files: {problem.strerror}{needs}") from problem
        if rundir is not None:
            try:
                os.chdir(rundir)
            except OSError as problem:
                raise StartError(f"cannot run in {rundir}: {problem.strerror}") from problem

    def _drop(self) -> None:
        uid, gid = _target(self._run)
        if (uid is None and gid is None) or self._run.supervises:
            return  # a master stays who it is, to listen where its workers want to; they become others
        try:
            _become(uid, gid)
        except OSError as problem:
            raise StartError(
                f"cannot run as the user {uid} and the group {gid}: {problem.strerror}; to change the user or the group needs root"
            ) from problem
        _log.info("Runs as the user {uid} and the group {gid}", uid=os.getuid(), gid=os.getgid())


def _target(run: Run) -> tuple[int | None, int | None]:
    """Return the user and the group that the process is to run as, None for those that it has."""
    from torsion.application.service import IProcess

    options, application = run.options, run.application
    process = None if application is None else IProcess(application, None)
    uid = options["uid"] if options["uid"] is not None else getattr(process, "uid", None)
    gid = options["gid"] if options["gid"] is not None else getattr(process, "gid", None)
    return uid, gid


def give_away(run: Run, path: str) -> None:
    """Have the file *path*, which the run has made or writes to, belong to the user that the run is going to be.

    Does nothing where that is no other, or for what is no regular file, has a second name or belongs to somebody else already: that
    user may be able to put a link there, which leads to a file of root's.
    """
    uid, _ = _target(run)
    if uid is None or os.getuid() != 0:
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a symbolic link, or something that cannot be read
        return
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_uid == 0 and found.st_nlink == 1:
            os.fchown(descriptor, uid, -1)
    finally:
        os.close(descriptor)


def _become(uid: int | None, gid: int | None) -> None:
    """Be that user and in that group, for good; with a user come its own groups, and none of those that there were."""
    import pwd

    account = None
    if uid is not None:
        try:
            account = pwd.getpwuid(uid)
        except KeyError:
            pass  # a number alone will do
        if gid is None:
            gid = account.pw_gid if account is not None else os.getgid()
    assert gid is not None, "there is one or the other"
    if uid in (None, os.getuid()) and gid == os.getgid():
        return
    if os.getuid() == 0:
        if account is not None:
            os.initgroups(account.pw_name, gid)
        else:
            os.setgroups([gid])
    os.setgid(gid)
    if uid is not None:
        os.setuid(uid)
        if uid != 0 and 0 in (os.getuid(), os.geteuid()):
            raise PermissionError(0, "root was not left")
