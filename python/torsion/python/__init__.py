"""Helpers that need no reactor: failures, adapters, names, threads, paths.

Each module here stands alone or on siblings named later in this list; none imports the logger or anything above:
``threadpool``, ``failure``, ``components``, ``deprecate``, ``lockfile``, ``context``, ``threadable``, ``runtime``, ``versions``,
``util``, ``reflect``.
"""
