"""A snapshot of a process that is worth looking at, with names that would like to be more than names."""

from __future__ import annotations

import copy

HOSTILE = '<script>alert("1")</script>\n# TYPE evil counter\nevil{a="b"} 1\\'
NOW = 1_795_290_954.25


def process(pid=4711):
    return {
        "pid": pid,
        "started": NOW - 3725,
        "uptime": 3725.0,
        "cpu_user": 12.5,
        "cpu_system": 2.25,
        "rss": 30_000_000,
        "virtual": 120_000_000,
        "descriptors": 17,
        "descriptors_max": 1024,
        "gc": [{"collections": 9 - each, "collected": 3, "uncollectable": 0} for each in range(3)],
        "reactor": "torsion.internet.reactors.native.NativeReactor",
        "torsion": "1.2.3",
        "python": "3.11.7",
        "implementation": "CPython",
        "platform": "Linux",
    }


def connection(number=0, worker=None):
    return {
        "worker": worker,
        "kind": "TCP",
        "peer": f"192.0.2.{number % 250}:{4000 + number}",
        "host": "192.0.2.254:7000",
        "protocol": HOSTILE if number == 1 else "shop.OrderProtocol",
        "listener": "192.0.2.254:7000",
        "age": 10.0 + number,
        "read": 100 * number,
        "written": 7 * number,
        "outbox": 50 if number == 3 else 0,
    }


def sample(worker=None, **changes):
    """Return a snapshot; *changes* replace its parts."""
    made = {
        "schema": 1,
        "time": NOW,
        "name": "torsion shop",
        "worker": worker,
        "state": "ready",
        "process": process(),
        "connections": {
            "open": 5,
            "outbox": 50,
            "read": 1000,
            "written": 70,
            "by_protocol": {"shop.OrderProtocol": 4, HOSTILE: 1},
            "list": [connection(each, worker) for each in (3, 4, 2, 1, 0)],
        },
        "listeners": [
            {
                "worker": worker,
                "kind": "TCP",
                "address": "192.0.2.254:7000",
                "factory": "shop.OrderFactory",
                "accepted": 12,
                "open": 5,
            }
        ],
        "timers": {"pending": 2, "list": [{"worker": worker, "call": "shop.Stock.count", "due": 1.5}]},
        "threads": {
            "count": 3,
            "pool": {"minimum": 0, "maximum": 10, "threads": 2, "busy": 1, "queued": 4, "completed": 99},
            "list": [{"worker": worker, "name": "MainThread", "daemon": False}],
        },
        "slow": {
            "threshold": 0.1,
            "count": 2,
            "list": [{"worker": worker, "at": NOW - 9, "seconds": 0.25, "call": "shop.reserve", "stack": "File x\n"}],
        },
        "errors": {
            "count": 3,
            "by_type": {"LookupError": 2, HOSTILE: 1},
            "list": [
                {
                    "worker": worker,
                    "at": NOW - 5,
                    "type": "LookupError",
                    "message": HOSTILE,
                    "text": "Order 17 cannot be filled",
                    "traceback": "Traceback\n  File x\n",
                }
            ],
        },
        "log": {"debug": 0, "info": 7, "warn": 1, "error": 0, "critical": 3},
        "loop": {
            "turns": 100,
            "waits": 90,
            "busy": 0.5,
            "opened": 20,
            "closed": 15,
            "turn_times": {"bounds": [0.001, 0.1], "counts": [95, 4, 1], "sum": 0.5},
            "lag": {
                "interval": 0.25,
                "histogram": {"bounds": [0.001, 0.01], "counts": [6, 3, 1], "sum": 0.2},
                "max": 0.15,
                "samples": [[NOW - 0.25 * each, 0.001 * each] for each in range(10, 0, -1)],
            },
        },
        "workers": [],
        "processes": {},
    }
    return copy.deepcopy(made) | changes
