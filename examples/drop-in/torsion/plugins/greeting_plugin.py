"""Tells the command of the sub-command ``greet``."""

from torsion.application.service import ServiceMaker

greet = ServiceMaker("Greeting", "greeting", "Greet whoever connects.", "greet")
