"""Do what the README promises a new user: `serve.py COMMAND`.

Runs the command with free ports instead of 7000 (echo) and 6000 (chat), talks to both servers, interrupts the one in the foreground as
Ctrl-C does, after which the command ends the other, and exits with status 0 if all of that went as it should.  Linux only: it finds
the servers in /proc.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

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


def talk(echo: socket.socket, chat: list[socket.socket]) -> None:
    """Have a line echoed, and one said by one chatter and heard by the other."""
    with echo, echo.makefile("rb") as answers:
        echo.sendall(b"is anyone there?\n")
        heard = answers.readline()
    print("echo:", heard)
    if heard != b"is anyone there?\n":
        sys.exit("the echo is not what was sent")
    for chatter, name in zip(chat, (b"ann", b"bob"), strict=True):
        chatter.sendall(name + b"\r\n")
    said = b"good morning"
    heard = b""
    while said not in heard:
        chat[0].sendall(said + b"\r\n")  # again until bob is in
        try:
            heard += chat[1].recv(4096) or sys.exit("the chat server hung up")
        except TimeoutError:
            sys.exit(f"bob heard only {heard!r}")
    print("chat:", heard)


def children(pid: int) -> list[int]:
    """Return the processes that *pid* started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main(command: str) -> None:
    """Run it all."""
    echo, chat = free_port(), free_port()
    command = command.replace("7000", f"{echo}:interface={HOST}").replace("6000", f"{chat}:interface={HOST}")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # heeded, even if we were begun in a shell's background
    shell = subprocess.Popen(["bash", "-c", command])
    connections = []
    try:
        connections = [connect(chat, shell), connect(chat, shell)]
        talk(connect(echo, shell), connections)
        os.kill(children(shell.pid)[-1], signal.SIGINT)
        status = shell.wait(timeout=30)
    finally:
        for connection in connections:
            connection.close()
        shell.kill()
    print("interrupted; the status is", status)
    sys.exit(status)


if __name__ == "__main__":
    main(sys.argv[1])
