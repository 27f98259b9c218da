"""The options of a command: how they are declared, the help that is made of them, and how a line is read as them.

`argparse` itself takes as long to load as Python takes to start, and a slip of the keyboard should be told at once.
"""

from __future__ import annotations

import os

from evalkit.core.errors import InputError
from evalkit.core.words import did_you_mean, listed

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Final, NoReturn

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

    def add_argument_group(self, title: str) -> OptionGroup:
        """Return a new group, in which options are declared."""
        self._groups.append((title, []))
        return OptionGroup(self._groups[-1][1])

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


class OptionGroup:
    """Some of a command's options, under a title."""

    def __init__(self, options: list[Option]) -> None:
        self._options = options

    def add_argument(self, *names: str, **said: Any) -> None:
        """Declare an option of the group."""
        self._options.append(Option(*names, **said))


class Declared:
    """What may be asked of a command: its options and what is refused of them, with what help says beside them.

    `examples` has a line to type and what it does; `refuse` raises `InputError` for what cannot be asked.
    """

    def __init__(
        self,
        add_options: Callable[[Options], None],
        *,
        description: str,
        examples: dict[str, str],
        epilog: str = "",
        refuse: Callable[[Given], None] | None = None,
    ) -> None:
        self.add_options, self.refuse = add_options, refuse
        self.description, self.examples, self.epilog = description, examples, epilog


def options_of(name: str, command: Command) -> Options:
    """Return the options of a command."""
    found = Options(f"evalkit {name}")
    command.declared.add_options(found)
    return found


def help_of(name: str, command: Command) -> str:
    """Return the help of a command."""
    said = command.declared
    return options_of(name, command).help(said.description, said.examples, said.epilog)


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


# The words of a line read as options; a slip is told in one sentence, with what may have been meant.

_KINDS: Final[dict[object, str]] = {int: "a whole number", float: "a number"}


class Given:
    """What was asked of a command: the value of each option under its name, `command` the command itself."""

    command: str

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def given_of(name: str, command: Command, words: Sequence[str]) -> Given:
    """Return what was asked of a command; raise `InputError` for what it cannot be asked."""
    given = read(options_of(name, command), words)
    given.command = name
    if command.declared.refuse is not None:
        command.declared.refuse(given)
    return given


def asks_for_help(words: Sequence[str]) -> bool:
    """Return whether `-h` or `--help` is among the options of a line."""
    typed = list(words)
    return any(word in ("-h", "--help") for word in (typed[: typed.index("--")] if "--" in typed else typed))


def read(options: Options, words: Sequence[str]) -> Given:
    """Return the options that a line holds, in whatever order; those it does not hold have their defaults.

    Raises
    ------
    InputError
        For an option that there is not, or lacks its value or has one of another kind, and for what is missing.
    """
    reader = _Reader(options, list(words))
    reader.take_all()
    missing = [option.shown if not option.names else option.name for option in options if reader.is_missing(option)]
    if missing:
        reader.refuse(f"{listed(missing, 20)} {'is' if len(missing) == 1 else 'are'} missing.")
    return Given(**reader.values)


class _Reader:
    """Takes word after word from a line."""

    def __init__(self, options: Options, words: list[str]) -> None:
        self.values: dict[str, Any] = {option.dest: option.default for option in options}
        self._options, self._known, self._words = options, options.by_name, words
        self._plain = [option for option in options if not option.names]
        self._seen: set[str] = set()

    def take_all(self) -> None:
        """Take every word."""
        are_options = True
        while self._words:
            word = self._words.pop(0)
            if are_options and word == "--":
                are_options = False
            elif are_options and _is_option(word):
                self._take_option(word)
            else:
                self._take_plain(word)

    def is_missing(self, option: Option) -> bool:
        """Return whether an option that is needed was not given."""
        return option.required and option.dest not in self._seen

    def refuse(self, message: str) -> NoReturn:
        """Raise `InputError` with where help is."""
        raise InputError(f"{message} `{self._options.command} --help` shows every option.")

    def _take_option(self, word: str) -> None:
        is_long = word.startswith("--")
        name, mark, value = word.partition("=") if is_long else (word[:2], word[2:], word[2:].removeprefix("="))
        if name not in self._known:
            shown = name if is_long else word
            means = did_you_mean(name, [*self._known, "--help"]) if is_long else ""
            self.refuse(f"There is no option '{shown}'.{means}")
        option = self._known[name]
        if option.is_flag:
            if mark:
                self.refuse(f"{name} takes no value.")
            self._keep(option, True)
            return
        values = [value] if mark else self._values_after(name, option)
        for one in values:
            self._keep(option, self._valued(option, name, one))

    def _values_after(self, name: str, option: Option) -> list[str]:
        values: list[str] = []
        while self._words and not _is_option(self._words[0]) and (option.nargs == "+" or not values):
            values.append(self._words.pop(0))
        if not values:
            self.refuse(f"{name} lacks its value.")
        return values

    def _take_plain(self, word: str) -> None:
        option = next((one for one in self._plain if one.nargs == "*" or one.dest not in self._seen), None)
        if option is None:
            self.refuse(f"There is no place for '{word}'.")
        self._keep(option, self._valued(option, option.metavar, word))

    def _valued(self, option: Option, name: str, text: str) -> Any:
        try:
            value = option.type(text)
        except InputError as problem:
            self.refuse(f"{name}: {problem}")
        except ValueError:
            self.refuse(f"{name} takes {_KINDS.get(option.type, 'another kind of value')}, not '{text}'.")
        if option.choices and value not in option.choices:
            known = [str(choice) for choice in option.choices]
            self.refuse(f"{name} is one of {listed(known, 20)}, not '{text}'.{did_you_mean(text, known)}")
        return value

    def _keep(self, option: Option, value: Any) -> None:
        if option.action in ("append", "extend") or option.nargs == "*":
            before = self.values[option.dest] if option.dest in self._seen else list(option.default or ())
            value = [*before, value]
        self.values[option.dest] = value
        self._seen.add(option.dest)


def _is_option(word: str) -> bool:
    """Return whether a word is an option, and not a value such as `-`, `-1.5` or a text with blanks."""
    return word.startswith("-") and len(word) > 1 and " " not in word and not _is_number(word)


def _is_number(word: str) -> bool:
    return word[1:].replace(".", "", 1).isdecimal()


# Options that several commands have, and what is refused of them.


PROJECT: Final = "slug, or path of a project.yml"
TABLE: Final = "a .csv, .csv.gz or .parquet file"
MOST_WORKERS: Final = 256
KINDS: Final = (".html", ".docx", ".pdf", ".csv")
"""What every command on a table can write."""


def add_data_options(parser: Any) -> None:
    """Give a parser the options `--data` and `--synthetic`, which `DataChoice` reads."""
    default = "default: that of the project file or of the last report, else the synthetic England"
    parser.add_argument("--data", metavar="DIR", help=f"folder of published files ({default})")
    parser.add_argument("--synthetic", action="store_true", help="the synthetic England: made-up schools")


def refuse_data(given: Given) -> None:
    """Raise `InputError` where the options name two kinds of data."""
    if given.data is not None and given.synthetic:
        raise InputError("--data names published files and --synthetic asks for made-up schools. Give one of them.")


def add_where_options(group: Any) -> None:
    """Give a parser's group the options that say who carries out replications."""
    group.add_argument("-j", dest="jobs", type=int, metavar="N", help="processes that share replications (default: 1)")
    group.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler, or its file, whose workers share them")


def add_output_options(group: Any, *, main_table: str, kinds: tuple[str, ...] = KINDS) -> None:
    """Give a parser or a group of its options `--out`, `--json` and `--quiet`.

    `main_table` says in a few words what a CSV file holds: `the effects by cohort and period`.
    """
    endings = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    meaning = f"also write FILE, whose name ends in {endings}; .csv holds {main_table}"
    group.add_argument("--out", metavar="FILE", help=meaning)
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("--quiet", action="store_true", help="no progress, and with --out no text either")


def refuse_where(given: Given, idle: str = "") -> None:
    """Raise `InputError` where the options exclude each other, or nothing is replicated, `idle` saying why."""
    if given.jobs is not None and given.scheduler is not None:
        raise InputError("-j shares replications out on this machine and --scheduler on a cluster. Give one of them.")
    if given.jobs is not None and not 1 <= given.jobs <= MOST_WORKERS:
        raise InputError(f"-j is a number of processes from 1 to {MOST_WORKERS}, not {given.jobs}.")
    if given.scheduler is not None and not given.scheduler.strip():
        raise InputError("--scheduler was given as an empty text. Give tcp://HOST:PORT, or leave the option out.")
    if idle and (given.scheduler is not None or (given.jobs or 1) > 1):
        raise InputError(f"{'--scheduler' if given.scheduler else '-j'} shares out replications, and {idle}.")


def refuse_level(level: float | None) -> None:
    """Raise `InputError` for a level of intervals outside 0 to 1."""
    if level is not None and not 0 < level < 1:
        raise InputError(f"--level lies between 0 and 1, not at {level:g}. The usual one is 0.95.")


def refuse_seed(seed: int | None) -> None:
    """Raise `InputError` for a seed below 0."""
    if seed is not None and seed < 0:
        raise InputError(f"--seed is a whole number from 0 on, not {seed}.")


def option_name(name: str) -> str:
    """Return an option as it is typed."""
    return "--" + name.replace("_", "-")


def count(text: str) -> int:
    """Return a number of projects at once; raise `InputError` for a text that is none."""
    if not text.strip().isdecimal() or not 1 <= int(text) <= 1024:
        raise InputError(f"'{text}' is no number of projects at once. Give a whole number from 1 on.")
    return int(text)


def above_zero(text: str) -> float:
    """Return a limit; raise `InputError` for a text that is no number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise InputError(f"'{text}' is no number above 0.")
    return number
