"""The schools of a trust as participants: those that GIAS lists as its members, each from the day it joined."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from evalkit.core.project import Participants
from evalkit.core.words import counted
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.gias_groups import read_trusts
from evalkit.data.published.participants_file import ListedSchool, ParticipantsFile, read_listed_schools


def listed_participants(folder: Path, chosen: Participants, has_tables: bool = False) -> ParticipantsFile:
    """Return the schools of a project's file: a list of schools, or the members of the trust that is named of a file.

    Raises
    ------
    DataError
        If the file is no such list, or has no group of that name or number.
    """
    path = folder / str(chosen.file)
    return read_listed_schools(path, has_tables) if chosen.trust is None else _members(path, str(chosen.trust))


def _members(path: Path, trust: str) -> ParticipantsFile:
    members = read_trusts(path).of(trust)
    columns = (members.index, *(members[key] for key in ("urn", "joined", "name")))
    rows = tuple(
        # without the member's name, which may be another than when its results were published: the URN is DfE's own
        ListedSchool(int(at) + 2, urn, "", "", start=None if pd.isna(joined) else joined.date(), group=name)
        for at, urn, joined, name in zip(*columns, strict=True)
    )
    return ParticipantsFile(rows, (), ("start", "group"))


def known_members(
    file: ParticipantsFile, school_of: Callable[[str], str], known: Container[str]
) -> tuple[ParticipantsFile, tuple[CountedCase, ...]]:
    """Return the members that some file knows, each school once, and what was left out, counted.

    `school_of` gives the school_id of a URN, `known` holds those that the results or the school list have.

    A trust's list holds nurseries, colleges and schools opened since; and a school that changed its URN within the
    trust stands there twice: it counts from the day it joined first.
    """
    kept: dict[str, ListedSchool] = {}
    unknown = again = 0
    for row in file.rows:
        school = school_of(row.urn)
        if school not in known:
            unknown += 1
        elif school in kept:
            again += 1
        else:
            kept[school] = row
    return replace(file, rows=tuple(kept.values())), tuple(_cases(file, unknown, again))


def _cases(file: ParticipantsFile, unknown: int, again: int) -> Iterator[CountedCase]:
    name = file.rows[0].group
    yield CountedCase(
        f"members of {name} on the day of the file; schools that left it before are not in it", len(file.rows)
    )
    if unknown:
        yield CountedCase("of these, left out as neither the results nor the school list has them", unknown)
    if again:
        yield CountedCase("of these, left out as an earlier URN of the same school is there", again)


def no_member_known(path: Path, trust: str, n: int) -> str:
    """Return what is wrong where no member of a trust is known."""
    return (
        f"{path.name}: of {counted(n, 'member')} of '{trust}' none stands in the results or the school list. Give "
        "later files, or another trust."
    )
