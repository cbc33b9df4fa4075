"""Helpers that need no reactor: failures, adapters, names, threads, paths.

Each module here stands alone or on siblings named later in this list; none imports the logger or anything above:
C{threadpool}, C{failure}, C{components}, C{deprecate}, C{lockfile}, C{context}, C{threadable}, C{runtime}, C{versions},
C{util}, C{reflect}.
"""
