"""Helpers that need no reactor: failures, adapters, names, threads, paths.

Each module here stands alone or on siblings named later in this list; none imports the logger or anything above:
``rebuild``, ``modules``, ``zippath``, ``filepath``, ``usage``, ``logfile``, ``threadpool``, ``failure``, ``components``, ``deprecate``, ``lockfile``,
``monkey``, ``procutils``, ``fakepwd``, ``randbytes``, ``sendmsg``, ``systemd``, ``text``, ``url``, ``urlpath``, ``compat``, ``context``, ``threadable``,
``runtime``, ``versions``, ``util``, ``reflect``.
"""
