"""``torsion web``: a server of a folder, of applications, of resources, or in front of other servers.

``options`` what is asked for · ``named`` what users' names stand for · ``roots`` resources of the command · ``service`` all of it, with
its access log.
"""

from torsion.web.tap.options import Options
from torsion.web.tap.roots import _AddHeadersResource as _AddHeadersResource  # Twisted's tests know it
from torsion.web.tap.service import makePersonalServerFactory, makeService

__all__ = ["Options", "makePersonalServerFactory", "makeService"]
