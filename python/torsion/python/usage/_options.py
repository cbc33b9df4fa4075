"""The parser of command lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, ClassVar

from torsion import __version__
from torsion.python.reflect import accumulateClassList, prefixedMethodNames

from ._completers import Completions
from ._errors import UsageError
from ._help import terminal_width, usage
from ._values import CoerceParameter, flagFunction, give, wrong_count

_Store = Callable[[str, str | None], None]


class Options(dict[str, Any]):
    """A command line's options: what there may be is said by attributes of a subclass, what there is stands in the dictionary.

    :cvar optFlags: options that are there or not, each ``[name, letter or None, description]``; the value is 1 or 0. The
        description may be left out, and so may the letter.
    :cvar optParameters: options with a text, each ``[name, letter or None, default, description, coerce]``. *coerce* makes
        the value of the text, and raises :class:`ValueError` for what it does not take; its attribute ``coerceDoc`` is added
        to the description. All after the name may be left out.
    :cvar subCommands: commands, each ``[name, short name or None, Options subclass, description]``. The first argument that is
        no option chooses one, and what follows is given to it.
    :cvar compData: what else shells can use to complete (:class:`Completions`).
    :cvar synopsis: the first line of the help, or of a sub-command's what follows its name.
    :cvar longdesc: what the program is for, shown under the options; by default the main module's docstring.

    Lists of a subclass add to those of its bases. A method ``opt_name`` handles the option ``--name`` (``_`` stands for ``-``);
    with an argument besides ``self`` it is given the option's text. Another name for the same method is another name for the option.

    :ivar opts: this dictionary.
    :ivar parent: the options whose sub-command this is.
    :ivar subCommand: the sub-command that was chosen.
    :ivar subOptions: its options; there only if one was chosen.
    :ivar defaults: the parameters' values before parsing, by name.
    :ivar synonyms: from each name that may be used, a letter or a word, to the one that values are kept under.
    :ivar docs: descriptions by name.
    """

    optFlags: ClassVar[Sequence[Sequence[Any]]]
    optParameters: ClassVar[Sequence[Sequence[Any]]]
    subCommands: Sequence[Sequence[Any]]
    compData: Completions
    synopsis: str
    longdesc: str
    subOptions: Options

    subCommand: str | None = None
    defaultSubCommand: str | None = None
    """The sub-command that is chosen if none is named."""
    parent: Options | None = None
    completionData: Completions | None = None

    def __init__(self) -> None:
        """Set every option to its default."""
        super().__init__()
        self.opts = self
        self.defaults: dict[str, Any] = {}
        self.synonyms: dict[str, str] = {}
        self.docs: dict[str, str | None] = {}
        self.longOpt: list[str] = []
        self.shortOpt = ""
        self._stores: dict[str, _Store] = {}
        self._handlers: dict[str, object] = {}
        self._flags: set[str] = set()
        self._add_flags()
        self._add_parameters()
        self._add_methods()

    def __hash__(self) -> int:  # type: ignore[override]  # a dictionary has none, and options are told apart by identity
        return id(self)

    # --- what there may be --------------------------------------------------------------------------------------------

    def _add(
        self, name: str, letters: Sequence[str], doc: str | None, store: _Store, handler: object, flag: bool
    ) -> None:
        for each in (name, *letters):
            self.synonyms[each] = name
            self._declare(each, flag)
        self.docs[name] = doc
        self._stores[name] = store
        self._handlers[name] = handler
        (self._flags.add if flag else self._flags.discard)(name)

    def _declare(self, name: str, flag: bool) -> None:
        """Tell getopt; what is declared again, by a subclass or by a method, is as the last one says."""
        if len(name) == 1:
            self.shortOpt = self.shortOpt.replace(f"{name}:", "").replace(name, "") + (name if flag else f"{name}:")
        self.longOpt = [each for each in self.longOpt if each.rstrip("=") != name]
        if len(name) > 1 or self.synonyms.get(name) == name:
            self.longOpt.append(name if flag else f"{name}=")

    def _add_flags(self) -> None:
        declared: list[Sequence[Any]] = []
        accumulateClassList(type(self), "optFlags", declared)

        def store(name: str, _: str | None) -> None:
            self.opts[name] = 1

        for each in declared:
            name, letter, doc = _padded(each, 3)
            self._add(name, [letter] if letter else [], doc, store, None, flag=True)
            self.opts[name] = 0

    def _add_parameters(self) -> None:
        declared: list[Sequence[Any]] = []
        accumulateClassList(type(self), "optParameters", declared)
        for each in declared:
            name, letter, default, doc, coerce = _padded(each, 5)
            parameter = CoerceParameter(self, str if coerce is None else coerce)
            if coerce is None:
                parameter.doc = ""
            self._add(name, [letter] if letter else [], doc, parameter.dispatch, parameter, flag=False)
            self.opts[name] = self.defaults[name] = default

    def _add_methods(self) -> None:
        methods: dict[object, list[str]] = {}
        for name in prefixedMethodNames(type(self), "opt_"):
            method = getattr(self, f"opt_{name}")
            methods.setdefault(getattr(method, "__func__", method), []).append(name.replace("_", "-"))
        for names in methods.values():
            longest = max(names, key=len)
            method = getattr(self, "opt_" + longest.replace("-", "_"))
            flag = flagFunction(method, longest)

            def store(name: str, value: str | None, method: Callable[..., Any] = method, flag: bool = flag) -> None:
                if flag:
                    method()
                else:
                    give(method, name, value)

            self._add(longest, [each for each in names if each != longest], method.__doc__, store, method, flag)

    def is_flag(self, name: str) -> bool:
        """Return whether the option of that name takes no argument."""
        return self.synonyms[name] in self._flags

    def handler(self, name: str) -> object:
        """Return what handles the option of that name: a method, a :class:`CoerceParameter`, or nothing for a plain flag."""
        return self._handlers[self.synonyms[name]]

    # --- what there is ------------------------------------------------------------------------------------------------

    def parseOptions(self, options: Sequence[str | bytes] | None = None) -> None:
        """Take a command line apart: the options, then a sub-command or :meth:`parseArgs`, then :meth:`postOptions`.

        :param options: the words after the program's name; by default those that it was started with. ``bytes`` are
            decoded as file names are, so that no name of a file is refused.
        :raise UsageError: if there is an option that is not known, or has an argument too many or too few, or one that is
            not taken; or the sub-command is not known; or the other arguments are not as many as :meth:`parseArgs` takes.
        :raise SystemExit: after ``--help``, ``--version``, and when a shell asks what could come next.
        """
        import getopt
        import os

        words = [os.fsdecode(word) for word in (sys.argv[1:] if options is None else options)]
        if len(words) >= 2 and words[-2] == "--_shell-completion":
            from ._completion import complete

            sys.stdout.write(complete(self, words[:-2], words[-1]))
            sys.exit(0)
        try:
            found, arguments = getopt.getopt(words, self.shortOpt, self.longOpt)
        except getopt.GetoptError as error:
            raise UsageError(error.msg) from None
        for dashed, value in found:
            name = self.synonyms[dashed.lstrip("-") or "-"]
            self._stores[name](name, value)
        if getattr(self, "subCommands", None) and (arguments or self.defaultSubCommand is not None):
            self._parse_command(arguments or [self.defaultSubCommand or ""])
        else:
            self._check_count(arguments)
            self.parseArgs(*arguments)
        self.postOptions()

    def _parse_command(self, arguments: list[str]) -> None:
        for name, short, parser, _ in self.subCommands:
            if arguments[0] in (name, short):
                self.subCommand = name
                self.subOptions = parser()
                self.subOptions.parent = self
                self.subOptions.parseOptions(arguments[1:])
                return
        known = ", ".join(str(command[0]) for command in self.subCommands)
        raise UsageError(f"Unknown command: {arguments[0]} (there are: {known})")

    def _check_count(self, arguments: list[str]) -> None:
        """Tell a wrong number of arguments beforehand, so that a TypeError within ``parseArgs`` is seen as what it is."""
        from inspect import signature

        try:
            expected = signature(self.parseArgs)
        except ValueError:  # written in C, without a signature
            return
        try:
            expected.bind(*arguments)
        except TypeError:
            raise wrong_count(self.parseArgs, arguments) from None

    def parseArgs(self, *args: str) -> None:
        """Take the arguments that are no options; override it with as many parameters as there may be.

        This one takes none. It is not called where a sub-command was chosen.
        """
        if args:
            raise wrong_count(lambda: None, args)

    def postOptions(self) -> None:
        """Check what was given, or compute values of it, when all was parsed; this one does nothing."""

    # --- help ---------------------------------------------------------------------------------------------------------

    def opt_version(self) -> None:
        """Display torsion's version and exit."""
        sys.stdout.write(f"torsion version: {__version__}\n")
        sys.exit(0)

    def opt_help(self) -> None:
        """Display this help and exit."""
        sys.stdout.write(f"{self}\n")
        sys.exit(0)

    def __str__(self) -> str:
        return f"{self.getSynopsis()}\n{self.getUsage()}"

    def getSynopsis(self) -> str:
        """Return the line that shows how the command is called; that of a sub-command begins with its parent's."""
        if self.parent is None:
            program = PurePath(sys.argv[0] if sys.argv else "").name or "python"
            return getattr(self, "synopsis", None) or f"Usage: {program} [options]"
        own = getattr(self, "synopsis", None) or "[options]"
        return " ".join((self.parent.getSynopsis(), self.parent.subCommand or "", own.strip()))

    def getUsage(self, width: int | None = None) -> str:
        """Return the help without its first line; of the sub-command, if one was chosen.

        :param width: columns to wrap at; by default the environment variable ``COLUMNS`` or 80.
        """
        if getattr(self, "subOptions", None) is not None:
            return self.subOptions.getUsage(width)
        return usage(self, terminal_width() if width is None else width)


def _padded(declared: Sequence[Any], length: int) -> list[Any]:
    return [*declared, *[None] * (length - len(declared))][:length]
