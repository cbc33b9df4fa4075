"""``torsion chat``."""

from torsion.application.service import ServiceMaker

__all__ = ["chat"]

chat = ServiceMaker("chat", "torsion.tap.chat", "Let everyone who connects talk to everyone else, by lines.", "chat")
