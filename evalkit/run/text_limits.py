"""How long the texts of a project may be: within these every report can be set, whatever else stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from evalkit.core.project import Claim, Project
from evalkit.run.complaint import Complaint, Place

_SHORT, _LONG = 300, 1000
MOST: Final[dict[tuple[str, ...], int]] = {
    ("title",): 200,
    ("question",): 500,
    ("programme", "name"): 150,
    ("programme", "place"): 40,
    ("programme", "funder"): 200,
    ("programme", "aim"): _SHORT,
    ("programme", "theme"): 40,
    ("programme", "description"): 4000,
    ("programme", "sources", "title"): _SHORT,
    ("programme", "sources", "url"): _LONG,
    ("participants", "known_participants"): 2000,
    ("participants", "why_whole_area"): 200,
    ("cost", "source"): _LONG,
    ("contamination", "programme"): _SHORT,
    ("contamination", "source"): _LONG,
}
"""Characters that each text of a project file may have."""
MOST_OF_CLAIM: Final = {"quote": _LONG, "part": _SHORT, "source": _LONG, "reason": _LONG, "note": _LONG}
"""Characters that each text of a claim may have."""
MOST_IN_WORD: Final = 60
"""Characters between two blanks; addresses may be longer. The longest word in a table decides how wide it is."""
MOST_IN_PLACE_WORD: Final = 25
"""The same in the name of the place, which stands beside the lines of figures."""


def project_texts(project: Project) -> Iterator[tuple[Place, str, int]]:
    """Yield every text that a reader sees, with its place in the project file and the most characters it may have."""
    for keys, most in MOST.items():
        for place, text in _found(project, keys, ()):
            yield place, text, most


def _found(value: object, keys: Sequence[str], place: Place) -> Iterator[tuple[Place, str]]:
    """Yield the texts under keys, each list on the way gone through."""
    if isinstance(value, tuple):
        for i, inner in enumerate(value):
            yield from _found(inner, keys, (*place, i))
    elif isinstance(value, str) and not keys:
        yield place, value
    elif value is not None and keys:
        yield from _found(getattr(value, keys[0]), keys[1:], (*place, keys[0]))


def too_long(project: Project) -> Iterator[Complaint]:
    """Yield a complaint for each text of a project that is longer than a report can carry."""
    for place, text, most in project_texts(project):
        longest = MOST_IN_PLACE_WORD if place == ("programme", "place") else MOST_IN_WORD
        yield from _complaints(place, text, most, longest)


def too_long_claim(at: int, claim: Claim) -> Iterator[Complaint]:
    """Yield a complaint for each text of a claim that is longer than a report can carry."""
    for key, most in MOST_OF_CLAIM.items():
        yield from _complaints((at, key), getattr(claim, key), most, MOST_IN_WORD)


def _complaints(place: Place, text: str, most: int, longest: int) -> Iterator[Complaint]:
    if len(text) > most:
        yield Complaint(place, f"the text has {len(text):,} characters, and a report holds {most:,} there. Shorten it")
    words = (word for word in text.split() if not re.match(r"\W*https?://", word))
    word = max(words, key=len, default="")
    if len(word) > longest:
        told = f"'{word[:20]}…' has {len(word):,} characters without a blank, and a line holds {longest}. Part it"
        yield Complaint(place, told)
