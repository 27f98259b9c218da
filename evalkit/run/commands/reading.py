"""The words of a line read as a command's options; a slip is told in one sentence, with what may have been meant."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.core.words import did_you_mean, listed
from evalkit.run.commands.options import Option, Options, options_of

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final, NoReturn

    from evalkit.run.commands.catalogue import Command

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
    command.options.refuse(given)
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
