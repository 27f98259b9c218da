"""Small helpers for messages that people read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], n: int = 1) -> list[str]:
    """Return up to `n` known words that look most like `word`, best first."""
    return get_close_matches(word, sorted(known), n=n, cutoff=0.5)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean '…'?`, or an empty text when nothing is near."""
    close = nearest(word, known)
    return f" Did you mean '{close[0]}'?" if close else ""


def listed(words: Sequence[str], most: int = 8) -> str:
    """Return words as a list in prose, cut after `most` with the number left."""
    shown = list(words[:most])
    if len(words) > most:
        return ", ".join(shown) + f" and {len(words) - most} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun in the right number: `1 school`, `2 schools`."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"
