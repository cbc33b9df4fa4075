"""Who may do what with a file."""

from __future__ import annotations

import stat

from torsion.python.util import FancyEqMixin


class RWX(FancyEqMixin):
    """What one kind of user may do.

    :ivar read: whether the file may be read, or the directory listed.
    :ivar write: whether it may be changed.
    :ivar execute: whether it may be run, or gone through.
    """

    compareAttributes = ("read", "write", "execute")

    def __init__(self, readable: bool, writable: bool, executable: bool) -> None:
        """Remember what is allowed."""
        self.read = readable
        self.write = writable
        self.execute = executable

    def __hash__(self) -> int:
        return hash((self.read, self.write, self.execute))

    def __repr__(self) -> str:
        return f"RWX(read={self.read}, write={self.write}, execute={self.execute})"

    def shorthand(self) -> str:
        """Return it as ``ls`` shows it, as in ``"r-x"``."""
        allowed = zip("rwx", (self.read, self.write, self.execute), strict=True)
        return "".join(letter if allow else "-" for letter, allow in allowed)


class Permissions(FancyEqMixin):
    """What a file's owner, its group and all others may do, read off its mode.

    :ivar user: the owner's :class:`RWX`.
    :ivar group: the group's.
    :ivar other: everybody else's.
    """

    compareAttributes = ("user", "group", "other")

    def __init__(self, statModeInt: int) -> None:
        """Read the permission bits of *statModeInt* (``st_mode``)."""
        self.user = RWX(*(bool(statModeInt & bit) for bit in (stat.S_IRUSR, stat.S_IWUSR, stat.S_IXUSR)))
        self.group = RWX(*(bool(statModeInt & bit) for bit in (stat.S_IRGRP, stat.S_IWGRP, stat.S_IXGRP)))
        self.other = RWX(*(bool(statModeInt & bit) for bit in (stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH)))

    def __hash__(self) -> int:
        return hash((self.user, self.group, self.other))

    def __repr__(self) -> str:
        return f"Permissions({self.shorthand()})"

    def shorthand(self) -> str:
        """Return it as ``ls`` shows it, as in ``"rwxr-x---"``."""
        return "".join(each.shorthand() for each in (self.user, self.group, self.other))
