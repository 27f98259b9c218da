"""`evalkit completion`: what lets a shell complete commands, options, values and projects, from their declarations."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import Option, options_of

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given

_PROJECTS: Final = "$(command ls data/projects 2>/dev/null)"


@dataclass(frozen=True, slots=True)
class Words:
    """What can follow one command: options with help, values of those that have few, those without, and projects."""

    purpose: str
    options: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]]
    flags: tuple[str, ...]
    takes_projects: bool


def words_of(name: str) -> Words:
    """Return what can follow a command."""
    options = list(options_of(name, COMMANDS[name]))
    return Words(
        COMMANDS[name].purpose,
        {typed: option.help for option in options for typed in option.names} | {"--help": "show help"},
        {place: tuple(map(str, option.choices)) for option in options if option.choices for place in _places(option)},
        tuple(typed for option in options if option.is_flag for typed in option.names),
        any(option.dest in ("project", "projects") for option in options),
    )


def _places(option: Option) -> tuple[str, ...]:
    """Return the words after which the values of an option stand; those of no option stand after the command."""
    return option.names or ("",)


def bash() -> str:
    """Return a script for bash; where nothing of the kit's own fits, names of files are completed."""
    return "\n".join(_bash_lines()) + "\n"


def _bash_lines() -> Iterator[str]:
    yield from (
        "# Completion of evalkit for bash, made by `evalkit completion bash`.",
        "_evalkit() {",
        '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""',
        '    if [ "$COMP_CWORD" -eq 1 ]; then',
        f'        words="{" ".join(COMMANDS)} --help --version"',
        "    else",
        '        case "${COMP_WORDS[1]} $before $word" in',
    )
    for name in COMMANDS:
        found = words_of(name)
        yield f'            "{name} "*" -"*) words="{" ".join(found.options)}" ;;'
        for place, values in found.values.items():
            yield f'            "{name} {place or name} "*) words="{" ".join(values)}" ;;'
        if found.takes_projects:
            before = "|".join([f'"{name} "[!-]*', *(f'"{name} {flag} "*' for flag in found.flags)])
            yield f'            {before}) words="{_PROJECTS}" ;;'
    yield from (
        "        esac",
        "    fi",
        '    COMPREPLY=($(compgen -W "$words" -- "$word"))',
        "}",
        "complete -o default -F _evalkit evalkit",
    )


def zsh() -> str:
    """Return a script for zsh, which reads bash's by a module of its own."""
    return (
        "# Completion of evalkit for zsh, made by `evalkit completion zsh`.\n"
        f"autoload -Uz compinit bashcompinit\ncompinit\nbashcompinit\n{bash()}"
    )


def fish() -> str:
    """Return a script for fish, which shows the help of each option beside it."""
    return "\n".join(_fish_lines()) + "\n"


def _fish_lines() -> Iterator[str]:
    yield "# Completion of evalkit for fish, made by `evalkit completion fish`."
    for name in COMMANDS:
        found, after = words_of(name), f"complete -c evalkit -n '__fish_seen_subcommand_from {name}'"
        yield f"complete -c evalkit -n __fish_use_subcommand -f -a {name} -d {shlex.quote(found.purpose)}"
        for option, meaning in found.options.items():
            kind = "-l" if option.startswith("--") else "-s"
            values = f" -x -a {shlex.quote(' '.join(found.values[option]))}" if option in found.values else ""
            yield f"{after} {kind} {option.lstrip('-')}{values} -d {shlex.quote(meaning)}"
        if "" in found.values:
            yield f"{after} -f -a {shlex.quote(' '.join(found.values['']))}"
        if found.takes_projects:
            yield f"{after} -a '(command ls data/projects 2>/dev/null)'"


SCRIPTS: Final[Mapping[str, Callable[[], str]]] = {"bash": bash, "zsh": zsh, "fish": fish}


def completion_command(given: Given) -> int:
    """Print what lets a shell complete commands and options, and return the exit code 0."""
    print(SCRIPTS[given.shell](), end="")
    return 0
