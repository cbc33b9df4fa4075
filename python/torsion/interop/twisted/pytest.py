"""A plugin for pytest: the tests of an application for Twisted, on torsion's engine.

    pytest -p torsion.interop.twisted.pytest

It makes torsion's reactor ``twisted.internet.reactor`` before any conftest, test or other plugin can import that; so pytest-twisted
and whatever else runs tests in a reactor runs them in this one.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import pytest

__all__ = ["pytest_configure", "pytest_load_initial_conftests", "pytest_report_header"]

_NAME = "twisted.internet.reactor"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Install the reactor, before any conftest is loaded."""
    _install()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Install the reactor, if a conftest has named this plugin; and have pytest-twisted, if it is there, be content with it."""
    _install()
    theirs = config.pluginmanager.getplugin("twisted") or sys.modules.get("pytest_twisted")
    installers = getattr(theirs, "reactor_installers", None)
    install = getattr(theirs, "_install_reactor", None)
    if installers is None or install is None:
        return  # it is not there, or one that takes what it finds
    chosen = config.getoption("reactor", default="default")
    if chosen != "default":
        raise pytest.UsageError(
            f"--reactor={chosen} and -p torsion.interop.twisted.pytest each choose a reactor: take one of them away"
        )
    from torsion.interop.twisted.reactor import TorsionReactor

    # Its default wants to see Twisted's own default reactor.
    installers["default"] = partial(install, reactor_installer=lambda: None, reactor_type=TorsionReactor)


def pytest_report_header() -> str:
    """Tell which reactor it is."""
    return f"twisted reactor: {_shown(sys.modules.get(_NAME))}"


def _install() -> None:
    present: Any = sys.modules.get(_NAME)
    if present is None:
        try:
            from torsion.interop.twisted.reactor import install
        except ImportError as problem:
            raise pytest.UsageError(
                f"-p torsion.interop.twisted.pytest: {problem}; pip install torsion[twisted]"
            ) from None
        install()
        return
    from torsion.interop.twisted.reactor import TorsionReactor

    if isinstance(present, TorsionReactor):
        return
    users = _users(present)
    by = (
        f"; the first to have it was {users[0]}" + (f", then {', '.join(users[1:])}" if users[1:] else "")
        if users
        else ""
    )
    raise pytest.UsageError(
        f"-p torsion.interop.twisted.pytest: {_shown(present)} is {_NAME} already{by}. Name this plugin on the command line or in"
        " addopts, before any other that imports the reactor, and take other ways of choosing one (--reactor) away."
    )


def _shown(reactor: Any) -> str:
    return f"{type(reactor).__module__}.{type(reactor).__qualname__}"


def _users(reactor: Any) -> list[str]:
    """Return the modules, in the order of their import, that have the reactor by name, Twisted's own left out."""
    return [
        name
        for name, module in list(sys.modules.items())
        if getattr(module, "__dict__", {}).get("reactor") is reactor and not name.startswith("twisted.")
    ]
