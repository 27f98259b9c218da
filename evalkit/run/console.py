"""What reaches a terminal or pipe: progress on standard error, and no sign that its encoding lacks."""

from __future__ import annotations

import codecs
import sys
import time

from evalkit.core.words import cleaned

TYPE_CHECKING = False  # as in `evalkit.run.commands.catalogue`: this is loaded before anything else
if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Final

# Progress on standard error: one line a step, and a sign of life in between.

HEARTBEAT_SECONDS = 10.0


class Progress:
    """Says what a run does and how long it has taken; silent where `is_quiet`."""

    def __init__(self, is_quiet: bool = False) -> None:
        self.started = time.monotonic()
        self.is_quiet = is_quiet

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        if not self.is_quiet:
            print(f"[{time.monotonic() - self.started:5.1f} s] {cleaned(text)}", file=sys.stderr, flush=True)

    def step(self, text: str) -> AbstractContextManager[None]:
        """Announce a step, and every ten seconds of it that it goes on."""
        return _Step(self, text)

    def cell(self, heading: str, call: str) -> None:
        """Take note of the cell of a notebook that is about to run; nothing is shown of it."""


class _Step:
    """A step of a run, with a thread that gives a sign of life."""

    def __init__(self, progress: Progress, text: str) -> None:
        self._progress, self._text = progress, text

    def __enter__(self) -> None:
        import threading

        self._progress.say(self._text)
        self._finished = threading.Event()
        self._heart = threading.Thread(target=self._beat, args=(self._finished,), daemon=True)
        self._heart.start()

    def __exit__(self, *stopped: object) -> None:
        self._finished.set()
        self._heart.join()

    def _beat(self, finished: threading.Event) -> None:
        while not finished.wait(HEARTBEAT_SECONDS):
            self._progress.say(f"{self._text}, still at work")


# What reaches a terminal or pipe: no sign that its encoding lacks ever stops a command.

HANDLER: Final = "evalkit-plain"
_REPLACED: Final = ("strict", "surrogateescape", "backslashreplace")
"""How Python treats what an encoding lacks unless a user says otherwise; another wish stands (`cp1252:replace`)."""
_PLAIN: Final = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "─": "-", "━": "=",
    "×": "x", "·": ".", "•": "*", "…": "...", "±": "+/-", "÷": "/", "√": "sqrt ",
    "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "∞": "infinity", "→": "->",
    "‘": "'", "’": "'", "“": "'", "”": "'", "«": "<<", "»": ">>",
    "£": "GBP ", "½": "1/2", "¼": "1/4", "¾": "3/4",
    "\N{NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ",
}  # fmt: skip


def make_streams_plain() -> None:
    """Let standard output and error write plain signs for those that their encoding lacks.

    Under cp1252, which Windows gives to pipes, `−0.4` is written as `-0.4`; JSON keeps every sign, as `\\u2212`.
    """
    codecs.register_error(HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        # A stream that something else put there, such as a notebook's, takes every sign and has no encoding to change.
        if getattr(stream, "errors", "") in _REPLACED and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=HANDLER)


def plain(text: str) -> str:
    """Return a text in ASCII, with each sign as near as can be: `χ² ≥ 3` is `chi^2 >= 3`."""
    return "".join(_plain_signs(text))


def _replaced(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    lacking = problem.object[problem.start : problem.end]
    # The whole text is at hand. In JSON a sign outside ASCII stands in a string, where its escape means the same.
    return "".join(map(_escaped, lacking)) if _is_json(problem.object) else plain(lacking), problem.end


def _is_json(text: str) -> bool:
    return text[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]")


def _escaped(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def _plain_signs(text: str) -> Iterator[str]:
    import unicodedata

    is_raised = False
    for sign in text:
        was_raised, is_raised = is_raised, unicodedata.decomposition(sign).startswith("<super>")
        yield ("^" if is_raised and not was_raised else "") + _plain_sign(sign)  # 10⁻⁶ is 10^-6, not 10-6


def _plain_sign(sign: str) -> str:
    if sign.isascii() or sign in _PLAIN:
        return _PLAIN.get(sign, sign)
    import unicodedata

    parts = [part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)]
    letters = "".join(_PLAIN.get(part, part) for part in parts)
    if letters.isascii():
        return letters  # é is e; a mark that stands alone goes
    name = unicodedata.name(sign, "").split()
    return name[-1].lower() if name[:1] == ["GREEK"] and "WITH" not in name else _escaped(sign)
