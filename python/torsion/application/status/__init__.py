"""A view into a live process, for browsers, for Prometheus and for ``torsion top``.

``snapshot`` what there is to see, gathered by ``watched``, ``process``, ``errors`` and ``lag``, and described by ``shape`` ·
``merge`` several processes as one, with the ``past`` of those that are gone · ``metrics`` the same for Prometheus · ``site`` what is served where, by ``protocol``, which
reads ``requests`` and sends ``answers`` · ``page`` and ``page.html`` what a browser shows · ``names`` and ``sharing`` keep strangers
out and the cost low.
"""

from torsion.application.status.merge import merge
from torsion.application.status.metrics import metrics
from torsion.application.status.names import HostNames
from torsion.application.status.protocol import StatusFactory
from torsion.application.status.site import Site
from torsion.application.status.snapshot import Observation, observe, snapshot

__all__ = ["HostNames", "Observation", "Site", "StatusFactory", "merge", "metrics", "observe", "snapshot"]
