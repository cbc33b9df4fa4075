"""Tells the command ``torsion`` of the sub-command; what that needs is imported only when it is used."""

from torsion.application.service import ServiceMaker

__all__ = ["daytime"]

daytime = ServiceMaker("Daytime", "daytime.tap", "Tell everybody who connects the time.", "daytime")
