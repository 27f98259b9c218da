"""The page of a release: what leaves, what is withheld and why, and what no control can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from evalkit.core.disclosure import DOMINANT, FEWEST_DF, WITHIN_PERCENT
from evalkit.core.formats import number
from evalkit.core.words import counted
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Document, Heading, Part, Prose
from evalkit.report.border.release import REASONS, Withheld
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.leaving import Leaving, LeftOut

_UNSEEN: Final = (
    "Sentences that authors of notebooks and of the project file wrote by hand are shown as they stand.",
    "Releases other than the one named here: whoever has two of them can compare them.",
    "What a reader knows from elsewhere, such as who took part.",
)
_UNSEEN_OF_PEOPLE: Final = (
    "That groups of two breakdowns, by different things, lie within each other.",
    "Who makes up a mean of outcomes, or an effect: that one person with a very large value does is not seen.",
)
_UNSEEN_OF_PUBLISHED: Final = (
    "That counts of different names and sizes are of nearly the same pupils, where no table says so.",
)


def _unseen(are_people: bool) -> tuple[str, ...]:
    return (*_UNSEEN, *(_UNSEEN_OF_PEOPLE if are_people else _UNSEEN_OF_PUBLISHED))


def release_page(
    leaving: Leaving, files: Mapping[str, str], *, fewest: int, are_people: bool, previous: str
) -> Document:
    """Return the page of a release; `files` say of each file what it is, `previous` which release came before."""
    document = leaving.contents.document
    withheld = tuple(dict.fromkeys(leaving.withheld))
    parts: list[Part] = [Prose((document.banner,), "banner")] if document.banner else []
    parts += [Heading(1, "What may leave, and what is withheld"), Prose(tuple(_told(leaving, files)))]
    parts += [Heading(2, "Which numbers are withheld, and why?"), *_numbers(withheld)]
    if leaving.lost:
        parts += [Heading(2, "What did an earlier release tell already?"), *_lost(leaving.lost)]
    parts += [Heading(2, "What is left out as a whole?"), *_wholes(leaving.left_out)]
    parts += [Heading(2, "By which rules?"), Prose(_rules(fewest, are_people, previous), "list")]
    parts += [Heading(2, "What can no control see?"), Prose(_unseen(are_people), "list")]
    parts += [Heading(2, "Which files are these?"), _files(files)]
    return Document(
        title=f"Release of {document.title}" if document.title else "Release",
        question="What may leave, what was withheld, and why",
        banner=document.banner,
        sections=(tuple(parts),),
    )


def _told(leaving: Leaving, files: Mapping[str, str]) -> list[str]:
    n = len(dict.fromkeys(leaving.withheld))
    withheld = f"{counted(n, 'number')} {'is' if n == 1 else 'are'} withheld." if n else "No number had to be withheld."
    return [
        f"This folder holds {counted(len(files), 'file')} that may leave the place where the report was made.",
        withheld,
        "Every file is listed with its checksum in results.json, in the form that output checkers in the UK read.",
    ]


def _numbers(withheld: Sequence[Withheld]) -> tuple[Part, ...]:
    if not withheld:
        return (Prose(("None.",)),)
    columns = (
        Column("table", "Table"),
        Column("row", "Row"),
        Column("column", "Number"),
        Column("why", "Withheld, as"),
    )
    rows = tuple((one.table, one.row or "–", one.column, REASONS[one.why]) for one in withheld)
    return (release(Table(caption="Numbers that are withheld", columns=columns, rows=rows), 0),)


def _lost(lost: Sequence[Withheld]) -> tuple[Part, ...]:
    columns = (Column("table", "Table"), Column("row", "Row"), Column("column", "Number"))
    rows = tuple((one.table, one.row or "–", one.column) for one in dict.fromkeys(lost))
    said = "Whatever is withheld now, these can be worked out from what an earlier release told."
    return Prose((said,)), release(Table(caption="Numbers that are out already", columns=columns, rows=rows), 0)


def _wholes(left_out: Sequence[LeftOut]) -> tuple[Part, ...]:
    if not left_out:
        return (Prose(("Nothing.",)),)
    columns = (Column("what", "What"), Column("why", "Why"))
    rows = tuple((one.what, one.why) for one in left_out)
    return (release(Table(caption="What is left out as a whole", columns=columns, rows=rows), 0),)


def _rules(fewest: int, are_people: bool, previous: str) -> tuple[str, ...]:
    source = (
        f"Units are people: counts under {fewest} are withheld, and so is every number that stands beside one."
        if are_people
        else f"Files are published: counts of pupils under {fewest} are withheld; counts of schools and areas are not, "
        "as anybody can count them in the published files."
    )
    n, share = DOMINANT
    of_people = (
        f"Counts of one size are taken to be of the same people, whatever their names; of those that differ by fewer "
        f"than {fewest} one alone is told, unless they are of different arms or parts of different wholes.",
        f"A mean is withheld where the largest {n} of the values it is made of are more than {number(100 * share, 0)}% "
        f"of their sum, or where the others add up to less than {number(WITHIN_PERCENT, 0)}% of the largest. That is "
        "known of the means of covariates before and after matching, and of no other number.",
        f"A model with fewer than {FEWEST_DF} residual degrees of freedom, smallest and largest values are withheld. "
        "Other numbers are rounded, half up, as they are shown. Sentences with numbers are left out, and so are the "
        "report's results in results.json.",
    )
    return (
        source,
        f"No withheld count can be said to be under {fewest}, or placed within a range narrower than that, by whoever "
        "knows every sum and every number told here: a linear programme looks for the closest guess.",
        f"Compared with every release up to that of {previous}: counts that differ by fewer than {fewest} are withheld."
        if previous
        else "No earlier release was named: differences between releases were not looked at.",
        *(of_people if are_people else ()),
        "Figures leave as pictures of dots, and not where a number behind them is withheld.",
        "No file names a folder or the machine in which it was made. Notebooks, lists of pairs (design.json), data and "
        "caches are not here.",
    )


def _files(files: Mapping[str, str]) -> Part:
    columns = (Column("file", "File"), Column("what", "What it is"))
    return release(Table(caption="Files of this release", columns=columns, rows=tuple(files.items())), 0)
