"""Names that Twisted keeps here; torsion has them in :mod:`torsion.internet.reactors` and below."""

from torsion.internet.reactors.base import ReactorBase
from torsion.internet.reactors.delayed import DelayedCall
from torsion.internet.reactors.names import PluggableResolverMixin
from torsion.internet.reactors.resolver import BlockingResolver, ThreadedResolver

__all__ = ["BlockingResolver", "DelayedCall", "PluggableResolverMixin", "ReactorBase", "ThreadedResolver"]
