"""Text as one word of a shell's language."""

from __future__ import annotations

from collections.abc import Iterable


def for_bash(text: str) -> str:
    """Return *text* as one word of a POSIX shell; zsh is one."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def words_for_bash(words: Iterable[str]) -> str:
    """Return what bash's ``compgen -W`` makes *words* of while ``IFS`` is a newline: it expands each as a shell does."""
    return for_bash("\n".join(for_bash(str(word)) for word in words))


def for_fish(text: str) -> str:
    """Return *text* as one word of fish, in whose quotations backslashes count."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def one_line(text: object) -> str:
    """Return *text* with each run of white space as one blank: what shells show has one line."""
    return " ".join(str(text or "").split())
