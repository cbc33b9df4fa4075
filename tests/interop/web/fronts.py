"""Servers of other projects: nginx and haproxy, on a socket that they inherit, and a certificate for whoever speaks TLS."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
OPENSSL = shutil.which("openssl")

# nginx takes the socket that it inherits through the variable NGINX, as if it were an older nginx's.
NGINX_CONFIGURATION = """
daemon off; worker_processes 1; user {user}; pid {folder}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_max_body_size 100m;
  {inside}
}}
"""


@contextmanager
def running(command: list[str], entrance: socket.socket, **keywords: Any) -> Iterator[int]:
    """Run a program that takes connections at the socket *entrance*."""
    process = subprocess.Popen(
        command, pass_fds=[entrance.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **keywords
    )
    try:
        yield entrance.getsockname()[1]
    finally:
        process.terminate()
        try:
            errors = process.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            errors = process.communicate()[1]
    assert "[emerg]" not in errors, errors
    assert "ALERT" not in errors, errors


@contextmanager
def nginx(folder: Path, inside: str, **words: Any) -> Iterator[int]:
    """Run nginx; *inside* is what its block ``http`` has, with *words* put in, and ``folder`` and ``listen``, its port."""
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        file = folder / "nginx.conf"
        filled = inside.format(folder=folder, listen=entrance.getsockname()[1], **words)
        file.write_text(NGINX_CONFIGURATION.format(folder=folder, user=getpass.getuser(), inside=filled))
        environment = {"NGINX": f"{entrance.fileno()};"}
        command = [str(NGINX), "-p", str(folder), "-c", str(file), "-e", "stderr"]
        with running(command, entrance, env=environment) as port:
            yield port


@contextmanager
def haproxy(folder: Path, configuration: str, **words: Any) -> Iterator[int]:
    """Run haproxy; *words* are put into its *configuration*, and ``descriptor``, that of its socket."""
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        file = folder / "haproxy.cfg"
        file.write_text(configuration.format(descriptor=entrance.fileno(), **words))
        with running([str(HAPROXY), "-db", "-q", "-f", str(file)], entrance) as port:
            yield port


def certificate(folder: Path) -> None:
    """Make ``cert.pem`` and ``key.pem`` in a folder, for this machine."""
    run = [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*run, *names], cwd=folder, check=True, capture_output=True, timeout=30)
