"""The command line: finds the command that was typed, reads its options and does it; no traceback is ever shown."""

from __future__ import annotations

import os
import sys

from evalkit.core.errors import EvalkitError, InputError
from evalkit.run.console import make_streams_plain

TYPE_CHECKING = False  # `typing` would take as long to load as all that is needed to refuse an option
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import Final, NoReturn

    from evalkit.run.commands.catalogue import Command
    from evalkit.run.commands.options import Given

DONE, FAILED, BAD_INPUT, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 130
_HELP: Final = ("-h", "--help")


def entry() -> NoReturn:
    """Do what the command line of this process asks, and end the process with the exit code."""
    leave(main())


def leave(code: int) -> NoReturn:
    """End this process, at once where nothing waits for its end.

    Python takes the libraries apart that it has loaded, object by object, which takes a short command a fifth of its
    time. Where threads or processes of its own are still there, it ends as usual.
    """
    import atexit

    threads, processes = sys.modules.get("threading"), "multiprocessing" in sys.modules
    if processes or (threads is not None and threads.active_count() > 1):
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # whoever read it has gone
        os._exit(code or FAILED)
    except OSError:
        os.write(2, b"evalkit: The output could not be written. Is the disk full?\n")
        os._exit(ENVIRONMENT)
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks and return the exit code; no traceback is ever shown."""
    make_streams_plain()
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if not words or words[0].startswith("-"):
            return _on_the_whole(words)
        if _helped(words):
            return DONE
        given = parsed(words)
        _end_on_signals()
        return done(given)
    except KeyboardInterrupt:
        print("\nInterrupted. Earlier outputs stand as they were.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    except Exception as problem:
        return _told(problem)


def parsed(words: Sequence[str]) -> Given:
    """Return what was asked, `command` its name; raise `InputError` for what cannot be asked.

    Of the commands only the one that was typed is looked at.
    """
    from evalkit.run.commands.options import given_of

    return given_of(words[0], _command(words[0]), words[1:])


def done(given: Given) -> int:
    """Do what was asked and return the exit code."""
    return _command(given.command).verb(given)


def _command(name: str) -> Command:
    from evalkit.run.commands.catalogue import COMMANDS

    if name not in COMMANDS:
        from evalkit.core.words import did_you_mean

        raise InputError(f"There is no command '{name}'.{did_you_mean(name, COMMANDS)} `evalkit --help` lists them.")
    return COMMANDS[name]


def _helped(words: Sequence[str]) -> bool:
    """Print the help of a command, where that is asked for; return whether it was."""
    from evalkit.run.commands.options import asks_for_help

    if not asks_for_help(words):
        return False
    from evalkit.run.commands.options import help_of

    print(help_of(words[0], _command(words[0])), end="")
    return True


def _on_the_whole(words: Sequence[str]) -> int:
    """Print help or the version; raise `InputError` where no command is named."""
    from evalkit import __version__
    from evalkit.run.commands.catalogue import overview

    if words[:1] == ["--version"]:
        print(f"evalkit {__version__}")
    elif words and words[0] in _HELP:
        print(overview(), end="")
    else:
        lacking = f"There is no option '{words[0]}' before a command." if words else "Name a command."
        raise InputError(f"{lacking} `evalkit --help` lists the commands.")
    return DONE


def _told(problem: Exception) -> int:
    """Say what stopped a command, in words, and return the exit code; what nobody foresaw goes to a log."""
    if isinstance(problem, EvalkitError) and not hasattr(problem, "log"):
        print(f"evalkit: {problem}", file=sys.stderr)
        return problem.exit_code
    from evalkit.core.words import cleaned
    from evalkit.run.processes.failure import failure_of, kept_log

    failure, log = failure_of(problem, "", "")
    print(cleaned(" ".join(["evalkit:", failure.message, *filter(None, [kept_log(log)])])), file=sys.stderr)
    return failure.exit_code


def _end_on_signals() -> None:
    """Let the wish to end this process clean up like an interruption, and count as one."""
    import signal
    import threading

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
