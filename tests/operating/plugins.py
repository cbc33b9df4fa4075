"""Plugins for the command to find, made for one test."""

from __future__ import annotations

import textwrap
from pathlib import Path

DECLARED = """\
from torsion.application.service import ServiceMaker

maker = ServiceMaker("Test", {module!r}, "Only for a test.", {name!r})
"""

PLAIN = """\
from torsion.application.service import Service
from torsion.python.usage import Options


def makeService(options):
    return Service()
"""


def drop_in(folder: Path, name: str, code: str | None) -> dict[str, str]:
    """Put a sub-command *name* into *folder*; return the environment in which the command finds it.

    :param code: of its module, in which ``PLAIN`` stands for the usual; None for a plugin of which *name* is the code.
    """
    plugins = folder / "torsion" / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    if code is None:
        (plugins / "dropped.py").write_text(name)
    else:
        module = f"dropped_{name}"
        (plugins / f"{module}_plugin.py").write_text(DECLARED.format(module=module, name=name))
        (folder / f"{module}.py").write_text(textwrap.dedent(code))
    return {"PYTHONPATH": str(folder)}
