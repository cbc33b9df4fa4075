"""``python -m torsion``, the same as the command ``torsion``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    :param argv: the arguments; None stands for those of this process.
    """
    from torsion.scripts.main import main

    return main(argv)


if __name__ == "__main__":
    raise SystemExit(main())
