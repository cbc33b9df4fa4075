"""The command ``torsion``: its arguments, and which of its parts they ask for."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from torsion import __version__
from torsion.internet.reactors.choose import VARIABLE
from torsion.scripts.serve import DRAIN_SECONDS, serve

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def _echo() -> Any:
    from torsion.scripts.echo import EchoFactory

    return EchoFactory()


def _chat() -> Any:
    from torsion.scripts.chat import ChatFactory

    return ChatFactory()


_SERVERS = {
    "echo": (_echo, "send back whatever comes in"),
    "chat": (_chat, "let everyone who connects talk to everyone else, by lines"),
}


def _seconds(text: str) -> float:
    seconds = float(text)  # a ValueError is told by argparse
    if not 0 <= seconds < 1e9:
        raise ValueError
    return seconds


_seconds.__name__ = "number of seconds"  # argparse's error message says so


class _HelpReactors(argparse.Action):
    """Lists the flavours of reactor and ends, as ``--help`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from torsion.internet.reactors.choose import available

        flavours = list(available())
        width = max(len(name) for name, _, _ in flavours)
        for name, description, why_not in flavours:
            print(f"{name:<{width}}  {'no ' if why_not else 'yes'}  {description}")  # noqa: T201 - that is what was asked for
            if why_not:
                print(f"{'':<{width}}       does not work here: {why_not}")  # noqa: T201 - that is what was asked for
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torsion", description="Servers on torsion's reactor, and a tool to move programs to it."
    )
    parser.add_argument("--version", action="version", version=f"torsion {__version__}")
    parser.add_argument(
        "-r", "--reactor", metavar="NAME", help="which flavour of reactor to run on (see --help-reactors)"
    )
    parser.add_argument(
        "--help-reactors",
        action=_HelpReactors,
        nargs=0,
        help="list the flavours of reactor, and which of them work here",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary) in _SERVERS.items():
        command = commands.add_parser(
            name, help=summary, description=f"A server to {summary}. SIGINT and SIGTERM end it."
        )
        command.add_argument(
            "--listen",
            metavar="ENDPOINT",
            action="append",
            required=True,
            help=r"where to listen, such as tcp:7000 or tcp:7000:interface=127.0.0.1; may be given several times",
        )
        command.add_argument(
            "--drain",
            metavar="SECONDS",
            type=_seconds,
            default=DRAIN_SECONDS,
            help="how long connections may take to end when the server stops (%(default)s)",
        )
    from torsion.scripts import port

    command = commands.add_parser("port", help="move a program from Twisted to torsion", description=port.DESCRIPTION)
    port.add_arguments(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: the arguments; None stands for those of this process.
    :returns: its exit status: 0 if all went well, 2 if an argument cannot be used.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "port":
        from torsion.scripts.port import run

        return run(arguments)
    if arguments.reactor is not None or os.environ.get(VARIABLE):
        from torsion.internet.reactors.choose import install

        try:
            install(arguments.reactor)
        except (LookupError, ImportError) as error:
            parser.error(str(error))
    make, _ = _SERVERS[arguments.command]
    return serve(f"torsion {arguments.command}", arguments.listen, make(), arguments.drain)
