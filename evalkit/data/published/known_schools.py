"""Every school that the published files know, by its numbers and names, and whether two names mean one school."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property
from typing import Final

import pandas as pd

from evalkit.data.measures import STAGES
from evalkit.data.published.records import NO_AREA, SchoolRecords
from evalkit.data.published.school_lists import Links

# Every school that the published files know, by its numbers and names.


@dataclass(frozen=True, eq=False)
class KnownSchools:
    """What is known of schools, each by its school_id: the oldest URN that the files follow it to.

    `names[school]` are all names a school is given, that of its results first; `areas[school]` its area's code, None
    where none is given; `laestabs[number]` the schools that have had a LAESTAB, each with the URN it had it under;
    `urns` every URN known.
    """

    records: Mapping[str, SchoolRecords]
    links: Links | None
    names: dict[str, list[str]]
    areas: dict[str, int | None]
    area_names: dict[int, str]
    laestabs: dict[str, dict[str, str]]
    urns: frozenset[str]

    @classmethod
    def of(
        cls, records: Mapping[str, SchoolRecords], lists: Sequence[pd.DataFrame], links: Links | None
    ) -> KnownSchools:
        """Gather what the results, and the lists of schools where there are any, say of schools."""
        urns = {urn for r in records.values() for urn in r.urns} | {urn for found in lists for urn in found.index}
        # a table of the project's own may know units by another id
        known = cls(records, links, {}, {}, {}, {}, frozenset(urn for urn in map(str, urns) if urn.isdigit()))
        for r in records.values():
            known._add(r.schools)
            named = r.schools[r.schools["area"].notna()]
            known.area_names.update(zip(named["area"], named.get("area_name", []), strict=False))
        for found in lists:
            known._add(found)
        return known

    def _add(self, frame: pd.DataFrame) -> None:
        columns = (frame.index.astype(str), *(frame[key] for key in ("name", "area", "laestab")))
        for urn, name, area, laestab in zip(*columns, strict=True):
            school = self.school_of(urn)
            self.names.setdefault(school, []).append(str(name))
            self.areas.setdefault(school, None if pd.isna(area) else int(area))
            self.laestabs.setdefault(str(laestab), {}).setdefault(school, urn)

    def oldest(self, urn: str) -> str:
        """Return the oldest URN that the links follow a school to."""
        return self.links.oldest(urn) if self.links else urn

    def school_of(self, urn: str) -> str:
        """Return the school_id of a URN; of one that no file knows its oldest URN."""
        oldest = self.oldest(urn)
        return next((r.urns[u] for r in self.records.values() for u in (urn, oldest) if u in r.urns), oldest)

    @cached_property
    def own_ids(self) -> dict[str, str]:
        """Every id that a table of the project's own knows a unit by, in small letters, and as it stands there."""
        own = (r for stage, r in self.records.items() if stage not in STAGES)
        return {unit.strip().casefold(): unit for r in own for unit in r.urns}

    def own_id(self, text: str) -> str:
        """Return an id as a table of the project's own has it, empty where none has it."""
        return self.own_ids.get(text.strip().casefold(), "")

    def at(self, laestab: str) -> dict[str, str]:
        """Return the schools that have had a LAESTAB, each with its URN."""
        return self.laestabs.get(laestab, {})

    def is_called(self, school: str, name: str) -> bool:
        """Return whether a name is near one that a school is given."""
        return any(alike(name, known) for known in self.names[school])

    def said(self, school: str) -> str:
        """Return a school in words: its URN, name and area."""
        return f"URN {self._newest.get(school, school)} {self.names[school][0]} ({self.area_name(school)})"

    def area_name(self, school: str) -> str:
        """Return the name of a school's area, or its code in words; what stands for one where none is given."""
        area = self.areas.get(school)
        return NO_AREA if area is None else self.area_names.get(area, f"area {area}")

    def candidates(self, name: str, areas: Iterable[int | None]) -> list[str]:
        """Return the schools that a name may mean, those of some areas first among equals."""
        near_areas = set(areas)
        return self._index.candidates(name, [school for school, area in self.areas.items() if area in near_areas])

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex.of({school: names[0] for school, names in self.names.items()})

    @cached_property
    def _newest(self) -> dict[str, str]:
        """The last URN that results stand under, where it is not the school_id."""
        return {school: urn for r in self.records.values() for urn, school in r.urns.items() if urn != school}


# Which schools a name may mean.


@dataclass(frozen=True, slots=True, eq=False)
class NameIndex:
    """Schools by the telling words of their names; each school is known by a key."""

    names: Mapping[str, str]
    by_word: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, names: Mapping[str, str]) -> NameIndex:
        """Index the name of each school."""
        keys_by_word: dict[str, set[str]] = {}
        for key, name in names.items():
            for word in telling(name):
                keys_by_word.setdefault(word, set()).add(key)
        return cls(names, {word: frozenset(keys) for word, keys in keys_by_word.items()})

    def candidates(self, name: str, near: Iterable[str] = (), n: int = 3) -> list[str]:
        """Return the keys of up to `n` schools whose names are most like a name, those in `near` first among equals."""
        telling_words, near_keys = telling(name) or words_of(name), set(near)
        words = [word for word in telling_words if word in self.by_word]
        words = words or [close for word in telling_words for close in get_close_matches(word, self.by_word, 2, 0.75)]
        keys = {key for word in words for key in self.by_word[word]}
        scored = [(self._score(key, name, key in near_keys), key) for key in keys]
        return [key for score, key in sorted(scored, key=lambda pair: (-pair[0], pair[1])) if score >= 0.5][:n]

    def _score(self, key: str, name: str, is_near: bool) -> float:
        known_words, asked_words = telling(self.names[key]), telling(name) or words_of(name)
        whole = _likeness(words_of(self.names[key]), words_of(name))
        return 0.8 * _likeness(known_words, asked_words) + 0.2 * whole + 0.2 * is_near


# Whether two names mean one school.

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


def alike(name: str, other_name: str) -> bool:
    """Return whether two names may well be one school's: the telling words of one stand in the other, or nearly.

    >>> alike("Huyton with Roby CofE", "Huyton With Roby Church of England Primary School")
    True
    >>> alike("Plover Infant School", "Plover Junior School")
    False
    """
    words = [words_of(name), words_of(other_name)]
    if _are_other_ages(*words) or _are_other_ages(*reversed(words)):
        return False
    first, second = (words_of_name - _GENERIC for words_of_name in words)
    if not first or not second:
        return words[0] == words[1]
    return first <= second or second <= first or _likeness(first, second) >= _LEAST_ALIKE


def _are_other_ages(words: frozenset[str], other_words: frozenset[str]) -> bool:
    """Return whether one name is of an infant and the other of a junior school alone."""
    young, older = bool(words & _YOUNG), bool(other_words & _OLDER)
    return young and older and not words & (_OLDER | _WHOLE) and not other_words & (_YOUNG | _WHOLE)


def _likeness(words: frozenset[str], other_words: frozenset[str]) -> float:
    return SequenceMatcher(None, " ".join(sorted(words)), " ".join(sorted(other_words))).ratio()
