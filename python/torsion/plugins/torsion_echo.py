"""``torsion echo``."""

from torsion.application.service import ServiceMaker

__all__ = ["echo"]

echo = ServiceMaker("echo", "torsion.tap.echo", "Send back whatever comes in.", "echo")
