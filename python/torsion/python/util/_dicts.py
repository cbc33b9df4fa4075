"""A dictionary that takes no notice of upper and lower case."""

from __future__ import annotations

from builtins import dict as dict_  # whose name an argument has
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class InsensitiveDict(MutableMapping[Any, Any]):
    """A dictionary in which keys of text, or of bytes, are equal if only their case differs.

    ``keys()``, ``values()`` and ``items()`` are lists.
    """

    def __init__(self, dict: Mapping[Any, Any] | None = None, preserve: bool | int = True) -> None:
        """Make a dictionary.

        :param dict: what it begins with.
        :param preserve: whether keys are shown as they were set last; else they are shown in lower case.
        """
        self.data: dict_[Any, tuple[Any, Any]] = {}
        self.preserve = preserve
        if dict:
            self.update(dict)

    @staticmethod
    def _folded(key: Any) -> Any:
        return key.lower() if isinstance(key, str | bytes) else key

    def __getitem__(self, key: Any) -> Any:
        return self.data[self._folded(key)][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        folded = self._folded(key)
        self.data[folded] = (key if self.preserve else folded, value)

    def __delitem__(self, key: Any) -> None:
        del self.data[self._folded(key)]

    def __contains__(self, key: object) -> bool:
        """Return whether there is *key*."""
        return self._folded(key) in self.data

    has_key = __contains__

    def __iter__(self) -> Iterator[Any]:
        """Give the keys."""
        return iter(self.keys())

    iterkeys = __iter__

    def itervalues(self) -> Iterator[Any]:
        """Give the values."""
        return iter(self.values())

    def iteritems(self) -> Iterator[tuple[Any, Any]]:
        """Give pairs of keys and values."""
        return iter(self.items())

    def __len__(self) -> int:
        return len(self.data)

    def keys(self) -> list[Any]:  # type: ignore[override]  # a list, as documented
        """Return the keys."""
        return [key for key, _ in self.data.values()]

    def values(self) -> list[Any]:  # type: ignore[override]  # a list, as documented
        """Return the values."""
        return [value for _, value in self.data.values()]

    def items(self) -> list[tuple[Any, Any]]:  # type: ignore[override]  # a list, as documented
        """Return pairs of keys and values."""
        return list(self.data.values())

    def copy(self) -> InsensitiveDict:
        """Return another with the same keys and values."""
        return InsensitiveDict(self, preserve=self.preserve)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        theirs = {self._folded(key): value for key, value in other.items()}
        return {key: value for key, (_, value) in self.data.items()} == theirs

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"InsensitiveDict({dict_(self.items())!r})"
