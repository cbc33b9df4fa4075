"""Do what the README promises a new user: `serve.py web COMMAND` or `serve.py talk COMMAND`, with the command that stands there.

Runs the command with free ports in place of its own, talks to what it serves, interrupts the server in the foreground as Ctrl-C does, and
exits with status 0 if all of that went as it should and nothing is left.  Linux only: it finds the servers in /proc.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

HOST = "127.0.0.1"
PATIENCE = 900  # seconds that building and starting may take


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def connect(port: int, shell: subprocess.Popen[bytes]) -> socket.socket:
    """Connect to *port* as soon as somebody listens there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and shell.poll() is None:
        try:
            return socket.create_connection((HOST, port), timeout=10)
        except ConnectionRefusedError:
            time.sleep(0.1)
    sys.exit(f"nobody listens on port {port}; the command's status: {shell.poll()}")


def web(command: str) -> tuple[str, Callable[[subprocess.Popen[bytes]], None]]:
    """Return the command on a free port, and what looks at a folder and at a file in it."""
    port = free_port()
    assert command.endswith("torsion web"), command

    def look(shell: subprocess.Popen[bytes]) -> None:
        connect(port, shell).close()
        for path, there in (("", b'href="README.md"'), ("README.md", Path("README.md").read_bytes())):
            with urlopen(f"http://{HOST}:{port}/{path}", timeout=30) as answer:
                body = answer.read()
                print(f"/{path}: {answer.status}, {answer.headers['Content-Type']}, {len(body)} bytes")
                if answer.status != 200 or there not in body:
                    sys.exit(f"/{path} is not what was to be served")

    return f"{command} --listen tcp:{port}:interface={HOST}", look


def talk(command: str) -> tuple[str, Callable[[subprocess.Popen[bytes]], None]]:
    """Return the command on free ports, and what has a line echoed, and one said by one chatter and heard by the other."""
    echo_port, chat_port = free_port(), free_port()

    def say(shell: subprocess.Popen[bytes]) -> None:
        with connect(chat_port, shell) as ann, connect(chat_port, shell) as bob, connect(echo_port, shell) as echo:
            echo.sendall(b"is anyone there?\n")
            with echo.makefile("rb") as answers:
                heard = answers.readline()
            print("echo:", heard)
            if heard != b"is anyone there?\n":
                sys.exit("the echo is not what was sent")
            ann.sendall(b"ann\r\n")
            bob.sendall(b"bob\r\n")
            said = b"good morning"
            heard = b""
            while said not in heard:
                ann.sendall(said + b"\r\n")  # again until bob is in
                try:
                    heard += bob.recv(4096) or sys.exit("the chat server hung up")
                except TimeoutError:
                    sys.exit(f"bob heard only {heard!r}")
            print("chat:", heard)

    command = command.replace("7000", f"{echo_port}:interface={HOST}")
    return command.replace("6000", f"{chat_port}:interface={HOST}"), say


def children(pid: int) -> list[int]:
    """Return the processes that *pid* started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def left(group: int) -> list[int]:
    """Return the processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, theirs = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has ended meanwhile
            continue
        if int(theirs) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def main(kind: str, command: str) -> None:
    """Run it all."""
    command, use = {"web": web, "talk": talk}[kind](command)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # heeded, even if we were begun in a shell's background
    shell = subprocess.Popen(["bash", "-c", f"{command}; exit $?"], start_new_session=True)
    try:
        use(shell)
        os.kill(children(shell.pid)[-1], signal.SIGINT)
        status = shell.wait(timeout=30)
        until = time.monotonic() + 30
        while (remaining := left(shell.pid)) and time.monotonic() < until:  # those that `kill` has told a moment ago
            time.sleep(0.1)
    finally:
        for pid in left(shell.pid):
            os.kill(pid, signal.SIGKILL)
    print(f"interrupted; the status is {status}, {len(remaining)} processes are left")
    sys.exit(status or len(remaining))


if __name__ == "__main__":
    main(*sys.argv[1:])
