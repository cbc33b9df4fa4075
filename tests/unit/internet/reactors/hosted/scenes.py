"""What every foreign loop is put to; run as a program, ``scenes.py KIND``, it prints how each scene went.

A process of its own, as some of these loops belong to the whole process, and as they may want a display.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module

from torsion.internet.protocol import ClientFactory, Factory, Protocol
from torsion.logger import globalLogPublisher

LIMIT = 10
"""After how many seconds a scene has failed, with status 3."""


class Asyncio:
    """asyncio's loop, as a program of its own deals with it."""

    name = "AsyncioReactor"

    def make(self, kind):
        self.loop = asyncio.new_event_loop()
        return kind(self.loop)

    def later(self, seconds, function):
        self.loop.call_later(seconds, function)

    def run(self):
        self.loop.run_forever()

    def end(self):
        self.loop.stop()

    nested = None  # asyncio has no such thing


class Tk:
    name = "TkReactor"

    def make(self, kind):
        import tkinter as tk

        self.root = tk.Tk()
        return kind(self.root)

    def later(self, seconds, function):
        self.root.after(int(seconds * 1000), function)

    def run(self):
        self.root.mainloop()

    def end(self):
        self.root.quit()

    def vanish(self):
        self.root.destroy()

    def nested(self, done):
        while not done():
            self.root.tk.dooneevent()


class Qt:
    name = "QtReactor"

    def make(self, kind):
        from PySide6.QtCore import QCoreApplication

        self.application = QCoreApplication.instance() or QCoreApplication([])
        return kind(self.application)

    def later(self, seconds, function):
        from PySide6.QtCore import QTimer

        QTimer.singleShot(int(seconds * 1000), function)

    def run(self):
        self.application.exec()

    def end(self):
        self.application.quit()

    def nested(self, done):
        from PySide6.QtCore import QEventLoop

        loop = QEventLoop()
        while not done():
            loop.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


class Gtk:
    name = "GtkReactor"

    def make(self, kind):
        from gi.repository import GLib

        self.glib = GLib
        self.loop = None
        return kind()

    def later(self, seconds, function):
        self.glib.timeout_add(int(seconds * 1000), lambda: function() and False)

    def run(self):
        self.loop = self.glib.MainLoop()
        self.loop.run()

    def end(self):
        (self.loop or self.reactor.driver._loop).quit()

    def nested(self, done):
        context = self.glib.MainContext.default()
        while not done():
            context.iteration(True)


KINDS = {"asyncio": Asyncio, "tk": Tk, "qt": Qt, "gtk": Gtk}


class Scene:
    """One scene: a reactor in a foreign loop, and what happens."""

    def __init__(self, kind):
        self.host = KINDS[kind]()
        module = import_module(f"torsion.internet.reactors.hosted.{kind}")
        self.reactor = self.host.reactor = self.host.make(getattr(module, self.host.name))
        self.events = []
        self.reactor.addSystemEventTrigger("during", "startup", self.events.append, "startup")
        self.reactor.addSystemEventTrigger("during", "shutdown", self.events.append, "shutdown")
        self.guard = threading.Timer(LIMIT, os._exit, (3,))  # the reactor is itself under test
        self.guard.start()

    def turns(self):
        return self.reactor.engine.statistics()["turns"]

    def serves_and_can_be_run_again(self):
        class Client(Protocol):
            received = b""

            def connectionMade(self):
                self.transport.write(b"0" * 200_000)

            def dataReceived(self, data):
                self.received += data
                if len(self.received) == 200_000:
                    self.transport.loseConnection()

            def connectionLost(self, reason):
                scene.events.append(len(self.received))
                scene.reactor.stop()

        class Echo(Protocol):
            def dataReceived(self, data):
                self.transport.write(data)

        scene = self
        for _ in range(2):
            port = self.reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
            self.reactor.connectTCP("127.0.0.1", port.getHost().port, ClientFactory.forProtocol(Client))
            self.reactor.run(installSignalHandlers=False)
            assert not port.connected
            assert not self.reactor.running
        assert self.events == ["startup", 200_000, "shutdown", 200_000], self.events

    def does_nothing_while_there_is_nothing_to_do(self):
        def begin():
            counts.append(self.turns())
            self.host.later(0.2, end)

        def end():
            counts.append(self.turns())
            self.reactor.stop()

        counts = []
        self.host.later(0.05, begin)
        self.reactor.run(installSignalHandlers=False)
        assert counts[0] == counts[1], counts

    def calls_made_outside_turns_are_served_at_once(self):
        def outside():
            self.reactor.callLater(0, self.events.append, "soon")
            self.reactor.callLater(0.01, self.events.append, "later")
            self.reactor.callLater(0.02, self.reactor.stop)
            self.reactor.callLater(0.005, self.events.append, "before that")

        self.host.later(0.01, outside)
        self.reactor.run(installSignalHandlers=False)
        assert self.events == ["startup", "soon", "before that", "later", "shutdown"], self.events

    def threads_and_signals_wake_it(self):
        def signalled(*_):
            self.events.append("signal")
            self.reactor.callLater(0, self.reactor.stop)

        def called():
            self.events.append("thread")
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()

        threading.Timer(0.05, self.reactor.callFromThread, (called,)).start()
        self.reactor.run()
        assert self.reactor._exitSignal == signal.SIGTERM
        assert self.events == ["startup", "thread", "shutdown"], self.events
        assert signal.set_wakeup_fd(-1) == -1

    def part_of_a_loop_that_somebody_else_runs(self):
        def stopped():
            self.events.append("the loop goes on")
            assert not self.reactor.running
            self.host.later(0.01, self.host.end)

        self.reactor.startRunning(installSignalHandlers=False)
        self.host.later(0.01, self.reactor.stop)
        self.reactor.addSystemEventTrigger("after", "shutdown", self.host.later, 0.02, stopped)
        self.host.run()
        assert self.events == ["startup", "shutdown", "the loop goes on"], self.events

    def stops_when_the_loop_ends_by_itself(self):
        def slow():
            from torsion.internet.defer import Deferred

            deferred = Deferred()
            self.reactor.callLater(0.01, deferred.callback, None)
            return deferred

        self.reactor.addSystemEventTrigger("before", "shutdown", slow)
        self.host.later(0.02, getattr(self.host, "vanish", self.host.end))
        self.reactor.run(installSignalHandlers=False)
        assert self.events == ["startup", "shutdown"], self.events

    def crashes(self):
        port = self.reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        self.host.later(0.01, self.reactor.crash)
        self.reactor.run(installSignalHandlers=False)
        assert self.events == ["startup"], self.events
        assert port.connected
        port.stopListening()

    def turns_within_turns(self):
        """A loop that a hook runs serves the others, and leaves the connection alone whose hook is on the stack."""
        if self.host.nested is None:
            return

        class Nesting(Protocol):
            depth = 0

            def dataReceived(self, data):
                assert not self.depth
                if data == b"nest":
                    self.depth += 1
                    scene.reactor.stop()  # which waits for this hook to return
                    peers[0].sendall(b"more")  # which waits, too
                    peers[1].sendall(b"other")
                    scene.host.nested(lambda: "other" in scene.events)
                    self.depth -= 1
                    assert "shutdown" not in scene.events
                scene.events.append(data.decode())

        scene = self
        port = self.reactor.listenTCP(0, Factory.forProtocol(Nesting), interface="127.0.0.1")
        peers = [socket.create_connection(("127.0.0.1", port.getHost().port)) for _ in range(2)]
        self.host.later(0.02, lambda: peers[0].sendall(b"nest"))
        self.reactor.run(installSignalHandlers=False)
        assert self.events[:3] == ["startup", "other", "nest"], self.events
        assert "shutdown" in self.events
        for peer in peers:
            peer.close()

    def close(self):
        self.guard.cancel()
        self.guard.join()


SCENES = [name for name, value in vars(Scene).items() if callable(value) and name not in ("__init__", "turns", "close")]


def say(scene, outcome):
    sys.stdout.write(f"{scene} {outcome}\n")
    sys.stdout.flush()


def main(kind):
    failures = []
    globalLogPublisher.addObserver(lambda event: failures.append(event) if "log_failure" in event else None)
    for name in SCENES:
        scene = Scene(kind)
        try:
            getattr(scene, name)()
            assert not failures, failures.pop()["log_failure"].getTraceback()
        except BaseException:
            failures.clear()
            say(name, "FAILED " + traceback.format_exc().replace("\n", "\\n"))
        else:
            say(name, "ok")
        scene.close()


if __name__ == "__main__":
    main(sys.argv[1])
