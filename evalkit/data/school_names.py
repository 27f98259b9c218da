"""Whether two names mean one school, and which schools a name may mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Final

_GENERIC: Final = frozenset(
    {"school", "schools", "primary", "secondary", "high", "junior", "juniors", "infant", "infants", "nursery", "first"}
    | {"community", "academy", "college", "voluntary", "aided", "controlled", "catholic", "roman", "rc", "ce", "cofe"}
    | {"church", "of", "england", "the", "and", "st", "saint", "saints", "ss", "sts", "for", "with", "trust", "free"}
    | {"foundation", "va", "vc", "jmi", "jmin", "js", "ps", "comprehensive", "middle", "eyfs", "ltd", "sch", "pri"}
)
_YOUNG: Final = frozenset({"infant", "infants"})
_OLDER: Final = frozenset({"junior", "juniors"})
_WHOLE: Final = frozenset({"primary", "all"})
_LEAST_ALIKE: Final = 0.8
"""Likeness, by difflib's ratio, from which the telling words of two names count as one name misspelt."""


def words_of(name: str) -> frozenset[str]:
    """Return the words of a name without case, accents, punctuation and the s of plurals and possessives.

    >>> sorted(words_of("St. Anne's C.E. Primary"))
    ['anne', 'ce', 'primary', 'st']
    """
    lower = re.sub(r"'s\b|'", "", _ascii(name).lower())
    lower = re.sub(r"\b(c|r)[ .]*(of[ .]*)?(e|c)\b\.?", r" \1\3 ", lower)
    return frozenset(re.sub(r"(?<=\w\w[^s])s$", "", word) for word in re.findall(r"[a-z0-9]{2,}", lower))


def _ascii(name: str) -> str:
    straight = re.sub("[\u2018\u2019\u02bc\u00b4`]", "'", name)
    return unicodedata.normalize("NFKD", straight).encode("ascii", "ignore").decode()


def telling(name: str) -> frozenset[str]:
    """Return the words by which a school is told from others.

    >>> telling("Plover Primary School")
    frozenset({'plover'})
    """
    return words_of(name) - _GENERIC


def alike(one: str, other: str) -> bool:
    """Return whether two names may well be one school's: the telling words of one stand in the other, or nearly.

    >>> alike("Huyton with Roby CofE", "Huyton With Roby Church of England Primary School")
    True
    >>> alike("Plover Infant School", "Plover Junior School")
    False
    """
    words = [words_of(one), words_of(other)]
    if _are_other_ages(*words) or _are_other_ages(*reversed(words)):
        return False
    first, second = (found - _GENERIC for found in words)
    if not first or not second:
        return words[0] == words[1]
    return first <= second or second <= first or _likeness(first, second) >= _LEAST_ALIKE


def _are_other_ages(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether one name is of an infant and the other of a junior school alone."""
    young, older = bool(one & _YOUNG), bool(other & _OLDER)
    return young and older and not one & (_OLDER | _WHOLE) and not other & (_YOUNG | _WHOLE)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return SequenceMatcher(None, " ".join(sorted(one)), " ".join(sorted(other))).ratio()


@dataclass(frozen=True, slots=True, eq=False)
class NameIndex:
    """Schools by the telling words of their names; each school is known by a key."""

    names: Mapping[str, str]
    by_word: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, names: Mapping[str, str]) -> NameIndex:
        """Index the name of each school."""
        found: dict[str, set[str]] = {}
        for key, name in names.items():
            for word in telling(name):
                found.setdefault(word, set()).add(key)
        return cls(names, {word: frozenset(keys) for word, keys in found.items()})

    def candidates(self, name: str, near: Iterable[str] = (), n: int = 3) -> list[str]:
        """Return the keys of up to `n` schools whose names are most like a name, those in `near` first among equals."""
        wanted, here = telling(name) or words_of(name), set(near)
        words = [word for word in wanted if word in self.by_word]
        words = words or [close for word in wanted for close in get_close_matches(word, self.by_word, 2, 0.75)]
        keys = {key for word in words for key in self.by_word[word]}
        scored = [(self._score(key, name, key in here), key) for key in keys]
        return [key for score, key in sorted(scored, key=lambda pair: (-pair[0], pair[1])) if score >= 0.5][:n]

    def _score(self, key: str, name: str, is_near: bool) -> float:
        own, wanted = telling(self.names[key]), telling(name) or words_of(name)
        whole = _likeness(words_of(self.names[key]), words_of(name))
        return 0.8 * _likeness(own, wanted) + 0.2 * whole + 0.2 * is_near
