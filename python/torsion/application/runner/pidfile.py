"""``--pidfile``: a file with the number of the process, which says that it runs, and to whom signals are to go.

Two processes never both hold one: the file is locked while it is looked at and written.  A file that was left behind, by a
process that is gone, is taken over; also where its number is another process's by now, which began after the file was written.
Anything else is left alone, and the command does not start: a process that runs, a file that holds no number, one that cannot be read.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.processes import began_after, exists
from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.logger import Logger
from torsion.python.usage import CompleteFiles, Completer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.application.runner.run import Run

__all__ = ["DAEMON_PIDFILE", "LONGEST", "PATIENCE", "Pidfile", "pidfile_of"]

DAEMON_PIDFILE = "torsion.pid"
"""The file, in the current folder, of a process in the background for which none is named."""

PATIENCE = 5.0
"""Seconds to wait for somebody else's lock of a pid file: another start holds it only as long as it takes to look and write."""

_PAUSE = 0.05
"""Seconds between two tries to lock the file."""

LONGEST = 32
"""Bytes to read of a pid file: a number has ten at most, and what is not a number must be shown in an error."""

_log = Logger("torsion.application.runner")


def _path(name: str) -> str:
    return str(Path(name).absolute()) if name else ""


def pidfile_of(options: Mapping[str, Any]) -> str | None:
    """Return the path of the pid file that a run with *options* has, or None if it has none."""
    named: str | None = options["pidfile"]
    if named is None and options["daemon"]:
        named = _path(DAEMON_PIDFILE)
    return named or None


class Pidfile(Fitting):
    """Holds the pid file while the process runs."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "pidfile",
            None,
            None,
            f"Keep the process's number in this file; with --daemon it is {DAEMON_PIDFILE} if none is named. An empty name is none.",
            _path,
        ),
    )
    completions: ClassVar[Mapping[str, Completer]] = {"pidfile": CompleteFiles("*.pid")}

    def fit(self, run: Run) -> None:
        """Take the file, or if the process takes the place of another, do so when that has left it."""
        path = None if run.worker is not None else pidfile_of(run.options)
        if path is None:
            return
        self._run = run
        self._path = Path(path)
        self._descriptor = -1
        self._folder = -1
        run.onEnd.append(self._leave)
        run.belongings["pidfile"] = lambda: self._descriptor
        if run.predecessor is None:
            self._take()
        run.onTakeOver.append(self._take_over)

    def _take(self) -> None:
        try:
            self._open()
            self._lock()
            while not self._is_there():
                self._close()
                self._open()
                self._lock()
            self._refuse_others()
            try:
                self._write()
            except OSError:
                self._remove()  # nobody's
                raise
        except OSError as problem:
            self._close()
            raise StartError(
                f"cannot use the pid file {self._path}: {problem.strerror}; name another with --pidfile"
            ) from problem
        except BaseException:
            self._close()
            raise

    def _take_over(self) -> None:
        """Put this process's number there, whoever's was there: that process has left its place, or has ended."""
        try:
            self._close()
            self._open(self._run.inherited.pop("pidfile", -1))
            self._write()
        except OSError:
            _log.failure("Cannot write the pid file {path}", path=str(self._path))

    def _open(self, inherited: int = -1) -> None:
        """Open the file; *inherited* is the predecessor's descriptor, which is as good: this process may not have its rights."""
        if inherited >= 0:
            self._descriptor = inherited
            with suppress(OSError):
                self._folder = os.open(self._path.parent, os.O_DIRECTORY | os.O_RDONLY)
            return
        # Not to be blocked by a pipe, nor to follow what somebody has put in a folder that all may write to.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = os.open(self._path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise StartError(f"the pid file {self._path} is no file, but something else; name another with --pidfile")
        if hasattr(os, "O_DIRECTORY"):
            self._folder = os.open(self._path.parent, os.O_DIRECTORY | os.O_RDONLY)  # reached from a chroot, too

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        for _ in range(int(PATIENCE / _PAUSE)):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(_PAUSE)
        raise StartError(f"the pid file {self._path} is locked by another process; name another with --pidfile")

    def _is_there(self) -> bool:
        """Tell whether what is open is still what the path leads to: a process that ended may have removed it meanwhile."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _refuse_others(self) -> None:
        content = os.pread(self._descriptor, LONGEST, 0) if hasattr(os, "pread") else os.read(self._descriptor, LONGEST)
        if not content.strip():
            return
        try:
            pid = int(content) if len(content) < LONGEST else 0
        except ValueError:
            pid = 0
        if pid <= 0:
            raise StartError(
                f"{self._path} is no pid file, but holds {content!r}; remove it, or name another with --pidfile"
            )
        if pid == os.getpid() or not exists(pid):
            _log.info("The pid file {path} was left by the process {pid}, which is gone", path=str(self._path), pid=pid)
            return
        if began_after(pid, os.fstat(self._descriptor).st_mtime):
            _log.info("The pid file {path} is older than the process {pid}", path=str(self._path), pid=pid)
            return
        raise StartError(
            f"the process {pid}{_name(pid)} runs already, says the pid file {self._path}; stop it, or name another file with --pidfile"
        )

    def _write(self) -> None:
        line = b"%d\n" % os.getpid()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        # Before what may stand behind is cut off: at no time is the file empty.
        if os.write(self._descriptor, line) < len(line):
            os.ftruncate(self._descriptor, 0)  # part of a number is another process's
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.ftruncate(self._descriptor, len(line))
        if hasattr(os, "O_NONBLOCK"):
            import fcntl

            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _remove(self) -> None:
        """Remove the file, or have it empty at least, which names nobody."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        with suppress(OSError):
            self._path.unlink()

    def _leave(self) -> None:
        """Remove the file, if it is still this process's."""
        try:
            if self._run.successor is None and self._ours():
                if self._folder >= 0:
                    os.unlink(self._path.name, dir_fd=self._folder)
                else:
                    descriptor, self._descriptor = self._descriptor, -1
                    os.close(descriptor)
                    self._path.unlink()  # which Windows does to closed files only
        except FileNotFoundError:
            pass
        except OSError:
            # The rights to that were given away; an empty file names nobody.
            try:
                os.ftruncate(self._descriptor, 0)
            except OSError:
                _log.failure("Cannot remove the pid file {path}", path=str(self._path))
        finally:
            self._close()

    def _ours(self) -> bool:
        if self._descriptor < 0:
            return False
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, LONGEST) == b"%d\n" % os.getpid()

    def _close(self) -> None:
        for descriptor in (self._descriptor, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._folder = -1


def _name(pid: int) -> str:
    try:
        return f" ({Path(f'/proc/{pid}/comm').read_text(errors='replace').strip()})"
    except OSError:
        return ""
