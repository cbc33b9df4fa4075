"""Version numbers of packages, for deprecations and for telling versions apart."""

from __future__ import annotations

from typing import Any

__all__ = ["IncomparableVersions", "Version", "getVersionString"]


class IncomparableVersions(TypeError):
    """Versions of two packages were compared."""


class Version:
    """The version of a package, ordered as Python's packaging standard says.

    :ivar package: the package's name.
    :ivar major: the first number, or ``"NEXT"`` for a version that has no number yet.
    :ivar minor: the second number.
    :ivar micro: the third number.
    :ivar release_candidate: the number of the release candidate, or None.
    :ivar post: the number of the post-release, or None.
    :ivar dev: the number of the development release, or None.
    """

    def __init__(
        self,
        package: str,
        major: int | str,
        minor: int,
        micro: int,
        release_candidate: int | None = None,
        prerelease: int | None = None,
        post: int | None = None,
        dev: int | None = None,
    ) -> None:
        """Make a version.

        :param package: the package's name.
        :param prerelease: another name for *release_candidate*.
        :raise ValueError: if both are given, or *major* is a text other than ``"NEXT"``.
        """
        if release_candidate is not None and prerelease is not None:
            raise ValueError("give release_candidate or prerelease, not both: they are the same")
        if isinstance(major, str) and major != "NEXT":
            raise ValueError(f"major must be a number or 'NEXT', not {major!r}")
        self.package = package
        self.major = major
        self.minor = minor
        self.micro = micro
        self.release_candidate = prerelease if release_candidate is None else release_candidate
        self.post = post
        self.dev = dev

    @property
    def prerelease(self) -> int | None:
        """Another name for ``release_candidate``."""
        return self.release_candidate

    def public(self) -> str:
        """Return the version as text, as in ``"1.2.3rc1"``."""
        if self.major == "NEXT":
            return "NEXT"
        text = f"{self.major}.{self.minor}.{self.micro}"
        if self.release_candidate is not None:
            text += f"rc{self.release_candidate}"
        if self.post is not None:
            text += f".post{self.post}"
        if self.dev is not None:
            text += f".dev{self.dev}"
        return text

    base = short = local = public

    def __repr__(self) -> str:
        extras = "".join(
            f", {name}={value}"
            for name in ("release_candidate", "post", "dev")
            if (value := getattr(self, name)) is not None
        )
        return f"Version({self.package!r}, {self.major!r}, {self.minor}, {self.micro}{extras})"

    def __str__(self) -> str:
        return f"[{self.package}, version {self.public()}]"

    def _rank(self) -> tuple[Any, ...]:
        # A development release comes before what it leads to; a candidate before the release; a post-release after it.
        dev = float("inf") if self.dev is None else self.dev
        candidate = self.release_candidate
        if candidate is None:
            # Infinity is above all of them.
            candidate = -1 if self.dev is not None and self.post is None else float("inf")  # type: ignore[assignment]
        post = -1 if self.post is None else self.post
        major = float("inf") if isinstance(self.major, str) else self.major
        return (major, self.minor, self.micro, candidate, post, dev)

    def _compared(self, other: object) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
        if not isinstance(other, Version):
            return None
        if self.package.lower() != other.package.lower():
            raise IncomparableVersions(f"versions of {self.package!r} and {other.package!r} cannot be compared")
        return self._rank(), other._rank()

    def __eq__(self, other: object) -> bool:
        pair = self._compared(other)
        return NotImplemented if pair is None else pair[0] == pair[1]

    def __lt__(self, other: object) -> bool:
        pair = self._compared(other)
        return NotImplemented if pair is None else pair[0] < pair[1]

    def __le__(self, other: object) -> bool:
        pair = self._compared(other)
        return NotImplemented if pair is None else pair[0] <= pair[1]

    def __gt__(self, other: object) -> bool:
        pair = self._compared(other)
        return NotImplemented if pair is None else pair[0] > pair[1]

    def __ge__(self, other: object) -> bool:
        pair = self._compared(other)
        return NotImplemented if pair is None else pair[0] >= pair[1]

    def __hash__(self) -> int:
        return hash((self.package.lower(), self._rank()))


def getVersionString(version: Version) -> str:
    """Return the package and its version, as in ``"torsion 1.2.3"``."""
    return f"{version.package} {version.public()}"
