"""Several processes that serve one command line: a master, which owns the listening sockets, and its workers.

``broker`` hands out sockets that ``sockets`` makes and ``steering`` balances · ``asking`` is the worker's way to it · ``channel``
is what both say to each other · ``process`` one worker, ``slot`` those that follow each other, with the delays of ``backoff``,
``master`` all of them · ``side`` makes a run a worker's · ``fitting`` the command's options.
"""
