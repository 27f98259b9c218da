"""Which of several files for one thing is used: a rule that is stated, and a reason for every other one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

from evalkit.core.words import listed
from evalkit.data.files.layout import STAGES, Contents


class Rival(Protocol):
    """A file that may be one of several for one thing; `fault` says why it is not used whatever the others are."""

    @property
    def name(self) -> str:
        """Its name below the folder."""

    @property
    def kind(self) -> str:
        """The name of its layout."""

    @property
    def contents(self) -> Contents:
        """What it gives."""

    @property
    def fault(self) -> str:
        """Why it is not used by itself, empty where it may be."""


def reasons(files: Sequence[Rival], sha256: Callable[[int], str]) -> list[str]:
    """Return for each file why it is not used, empty where it is.

    Of files for one thing (`Contents.subject`) the latest stage is used: final over one that does not say, over
    revised, over provisional; of one stage the later cut of a list (`Contents.as_of`). Of files with the very same
    bytes the first is used and the others are its copies. Two of one stage and cut with different bytes are both
    refused: nothing says which is meant. `sha256` gives the digest of a file's unpacked bytes, by its place; it is
    asked only where files may be the same.
    """
    found = [one.fault for one in files]
    for group in _alike(files, found):
        _name_copies(files, group, found, sha256)
    by_subject: defaultdict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(files):
        if not found[at] and one.contents.subject:
            by_subject[one.contents.subject].append(at)
    for subject, group in by_subject.items():
        _choose(files, group, found, subject)
    return found


def _alike(files: Sequence[Rival], found: list[str]) -> list[list[int]]:
    """Return the files that may be copies: of one layout, with as many rows, years and areas."""
    groups: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, one in enumerate(files):
        if not found[at]:
            groups[(one.kind, one.contents.rows, one.contents.years, one.contents.areas)].append(at)
    return [group for group in groups.values() if len(group) > 1]


def _name_copies(files: Sequence[Rival], group: list[int], found: list[str], sha256: Callable[[int], str]) -> None:
    first: dict[str, int] = {}
    for at in sorted(group, key=lambda at: (-STAGES.index(files[at].contents.stage), at)):
        digest = sha256(at)
        if digest in first:
            found[at] = f"it is a copy of {files[first[digest]].name}, byte for byte, which is used"
        else:
            first[digest] = at


def _choose(files: Sequence[Rival], group: list[int], found: list[str], subject: str) -> None:
    best = max(_rank(files[at]) for at in group)
    latest = [at for at in group if _rank(files[at]) == best]
    for at in group:
        others = [files[other].name for other in latest if other != at]
        if at not in latest:
            found[at] = _later(files[at].contents, files[latest[0]])
        elif others:
            found[at] = (
                f"{listed(others, 5)} gives the same table ({subject}) with other contents, and nothing says which is "
                "meant. Keep the one that the evaluation should read"
            )


def _later(contents: Contents, used: Rival) -> str:
    if contents.stage != used.contents.stage:
        return f"{used.name} is the later stage of the same table ({contents.subject})"
    return f"{used.name} is a later cut of the same list (to {used.contents.as_of})"


def _rank(one: Rival) -> tuple[int, str]:
    return STAGES.index(one.contents.stage), one.contents.as_of
