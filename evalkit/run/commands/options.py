"""The options of a command as they are declared, the way `argparse` has them, and the help that is made of them.

`argparse` itself takes as long to load as Python takes to start, and a slip of the keyboard should be told at once.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType
    from typing import Any, Final

    from evalkit.run.commands.catalogue import Command

WIDEST: Final = 120
_INDENT: Final = 28
"""Where the meaning of an option begins."""


class Option:
    """One option, or what stands without one, such as FILE; `nargs` and `action` as in `argparse`."""

    def __init__(
        self,
        *names: str,
        help: str,
        dest: str = "",
        metavar: str = "",
        type: Callable[[str], Any] = str,
        choices: Sequence[Any] = (),
        nargs: str = "",
        action: str = "store",
        required: bool = False,
        default: Any = ...,
    ) -> None:
        self.names = names if names[0].startswith("-") else ()
        longest = max(names, key=len)
        self.dest = dest or longest.lstrip("-").replace("-", "_")
        self.help, self.type, self.choices, self.nargs, self.action = help, type, tuple(choices), nargs, action
        self.metavar = metavar or (f"{{{','.join(map(str, choices))}}}" if choices else longest.upper())
        self.required = required or (not self.names and not nargs)
        self.default: Any = (False if self.is_flag else None) if default is ... else default

    @property
    def is_flag(self) -> bool:
        """Whether it has no value."""
        return self.action == "store_true"

    @property
    def name(self) -> str:
        """What a message calls it."""
        return self.names[-1] if self.names else self.metavar

    @property
    def shown(self) -> str:
        """How it is typed."""
        value = f"{self.metavar} ..." if self.nargs in ("*", "+") else self.metavar
        if not self.names:
            return f"[{value}]" if self.nargs in ("*", "?") else value
        return ", ".join(self.names) + ("" if self.is_flag else f" {value}")


class Options:
    """The options of one command, in groups."""

    def __init__(self, command: str) -> None:
        self.command = command
        self._groups: list[tuple[str, list[Option]]] = [("arguments", []), ("options", [])]

    def __iter__(self) -> Iterator[Option]:
        return (option for _, group in self._groups for option in group)

    def add_argument(self, *names: str, **said: Any) -> None:
        """Declare an option outside any group."""
        option = Option(*names, **said)
        self._groups[1 if option.names else 0][1].append(option)

    def add_argument_group(self, title: str) -> Group:
        """Return a new group, in which options are declared."""
        self._groups.append((title, []))
        return Group(self._groups[-1][1])

    @property
    def by_name(self) -> dict[str, Option]:
        """Every option under each of its names."""
        return {name: option for option in self for name in option.names}

    def usage(self) -> str:
        """Return how the command is typed, with what it cannot do without."""
        needed = [option.shown for option in self if not option.names or option.required]
        return " ".join(["usage:", self.command, *needed, "[options]"])

    def help(self, description: str, examples: dict[str, str], epilog: str) -> str:
        """Return the help of the command, as wide as the terminal."""
        width = columns()
        lines = [*_wrapped(self.usage(), width, 11), "", *_wrapped(description, width, 0)]
        for title, group in self._groups:
            helped = title == "options"
            if group or helped:
                lines += ["", f"{title}:", *(line for option in group for line in _option_lines(option, width))]
                lines += ["  -h, --help".ljust(_INDENT) + "show this"] if helped else []
        lines += ["", "examples:", *(f"  {line}\n      {meaning}" for line, meaning in examples.items())]
        return "\n".join([*lines, *(["", epilog.rstrip()] if epilog else []), ""])


class Group:
    """Some of a command's options, under a title."""

    def __init__(self, options: list[Option]) -> None:
        self._options = options

    def add_argument(self, *names: str, **said: Any) -> None:
        """Declare an option of the group."""
        self._options.append(Option(*names, **said))


def options_of(name: str, command: Command) -> Options:
    """Return the options of a command."""
    found = Options(f"evalkit {name}")
    command.options.add_options(found)
    return found


def help_of(name: str, command: Command) -> str:
    """Return the help of a command."""
    said: ModuleType = command.options
    return options_of(name, command).help(said.DESCRIPTION, said.EXAMPLES, said.EPILOG)


def columns() -> int:
    """Return how wide help may be: as the variable COLUMNS has it, else as the terminal is, at most 120."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return min(int(given), WIDEST)
    try:
        return min(os.get_terminal_size(1).columns or 80, WIDEST)
    except OSError:  # standard output is no terminal
        return 80


def _option_lines(option: Option, width: int) -> list[str]:
    head = f"  {option.shown}"
    meaning = _wrapped(option.help, max(width - _INDENT, 20), 0)
    lines = [" " * _INDENT + line for line in meaning]
    return [head, *lines] if len(head) > _INDENT - 2 else [head.ljust(_INDENT) + meaning[0], *lines[1:]]


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    """Return a text in lines of a width, all but the first of them indented."""
    lines = [""]
    for word in text.split():
        if lines[-1].strip() and len(lines[-1]) + 1 + len(word) > width:
            lines.append(" " * indent + word)
        else:
            lines[-1] += f" {word}" if lines[-1].strip() else word
    return lines
