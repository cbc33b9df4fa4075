"""A state machine for receivers of strings: one method for each state."""

from __future__ import annotations

from typing import Any

from torsion.logger import Logger

__all__ = ["StatefulStringProtocol"]


class StatefulStringProtocol:
    """Mixin for a receiver of strings that gives each string to the method of the current state.

    For the state ``"init"``, with which it begins, that is ``proto_init(string)``.  The method returns the name of the
    next state; after ``"done"`` the connection is closed.
    """

    transport: Any

    state: str = "init"
    """The name of the current state."""

    _log = Logger()

    def stringReceived(self, string: bytes) -> None:
        """Give *string* to the current state's method.  Without such a method, it is logged and dropped."""
        handler = getattr(self, f"proto_{self.state}", None)
        if handler is None:
            self._log.warn("There is no proto_{state} for a string that came in: it is dropped.", state=self.state)
            return
        self.state = handler(string)
        if self.state == "done":
            self.transport.loseConnection()
