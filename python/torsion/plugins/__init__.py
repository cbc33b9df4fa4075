"""The package for drop-in plugins: modules in a folder ``torsion/plugins``, without an ``__init__.py``, on any entry of ``sys.path``.

Nothing of torsion imports this: see :func:`torsion.plugin.getPlugins`.
"""

from torsion.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
