"""Small helpers for messages that people read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], n: int = 1) -> list[str]:
    """Return up to `n` known words that look most like `word`, best first.

    One that differs only in a trailing `.0`, blanks, case or leading zeros comes first. Numbers are near where one
    digit is wrong, too many or too few, or two have changed places: more in common says nothing about ids.
    """
    texts = sorted(known)
    plain = _plain(word)
    same = [text for text in texts if _plain(text) == plain]
    if same or not plain.isdigit():
        others = [] if same and plain.isdigit() else get_close_matches(word, texts, n=n, cutoff=0.5)
        return [*same, *(text for text in others if text not in same)][:n]
    return [text for text in texts if _is_one_slip(plain, _plain(text))][:n]


def _plain(word: str) -> str:
    """Return a word without what makes no difference between two ids."""
    return re.sub(r"^0+(?=.)", "", re.sub(r"\.0+$", "", word.strip().lower()))


def _is_one_slip(one: str, other: str) -> bool:
    """Return whether one digit, or the order of two neighbours, is all that differs between two numbers."""
    if len(one) == len(other):
        at = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        return len(at) == 1 or (at[1:] == [at[0] + 1] and one[at[0]] + one[at[1]] == other[at[1]] + other[at[0]])
    short, long = sorted((one, other), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean '…'?`, or an empty text when nothing is near."""
    close = nearest(word, known)
    return f" Did you mean '{close[0]}'?" if close else ""


def listed(words: Sequence[str], most: int = 8) -> str:
    """Return words as a list in prose, cut after `most` with the number left.

    Where one of them holds a comma, semicolons part them.

    >>> listed(["Bristol, City of", "Milton Keynes", "Bournemouth, Christchurch and Poole"])
    'Bristol, City of; Milton Keynes; and Bournemouth, Christchurch and Poole'
    """
    shown = list(words[:most])
    if len(shown) < 2 and len(words) <= most:
        return shown[0] if shown else "none"
    comma, last = ("; ", "; and ") if any(", " in word for word in shown) else (", ", " and ")
    if len(words) > most:
        return comma.join(shown) + f"{last}{len(words) - most} more"
    return comma.join(shown[:-1]) + last + shown[-1]


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun in the right number: `1 school`, `2 schools`."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"
