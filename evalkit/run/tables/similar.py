"""From what `evalkit similar` is asked and its table to lists of similar units, and all that is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evalkit.core.errors import DataError, InputError
from evalkit.core.plain import plain_or_reason as given
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import did_you_mean, listed
from evalkit.data.own_tables.unit_table import read_profiles
from evalkit.data.profiles import ProfileRoles, Profiles
from evalkit.data.published.codes import coded_notes
from evalkit.design.similar import CLOSENESS, SimilarOptions, SimilarUnits, similar_units
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Document, Part, Prose
from evalkit.report.tables.similar import closest, list_losses, similar
from evalkit.run.console import Progress
from evalkit.run.tables.similar_options import SimilarRequest
from evalkit.run.tables.written import CommandAnswer, frame_csv

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarAnswer:
    """Everything one run of `evalkit similar` tells: the lists, and the released table of the one asked for."""

    request: SimilarRequest
    found: SimilarUnits
    table: ReleasedTable | None

    @property
    def unit(self) -> str | None:
        """Return the id of the unit the list is for."""
        return None if self.table is None else str(self.found.profiles.units[self.found.asked[0]])


def similar_answer(request: SimilarRequest, progress: Progress) -> SimilarAnswer:
    """Read the table and list what was asked; raise `InputError` where that cannot be done."""
    _require(request)
    roles = ProfileRoles(
        unit=request.unit,
        characteristics=request.on,
        labels=tuple(dict.fromkeys([*request.same, *request.not_same])),
        name=request.name,
        shown=tuple(name for name in request.show if name not in request.on),
    )
    with progress.step(f"reading {request.file.name}"):
        try:
            profiles = read_profiles(request.file, roles, request.categories)
        except DataError as problem:
            raise _in_file(problem, request) from None
    option = SimilarOptions(
        weights=request.weights,
        n=request.n,
        same=request.same,
        not_same=request.not_same,
        sd_within_same=request.sd_within_same,
        pupils=request.pupils,
    )
    with progress.step(f"comparing {len(profiles.units):,} units"):
        found = similar_units(profiles, option, request.wanted)
    table = None if request.wanted is None else similar(found, request.wanted, request.pupils)
    return SimilarAnswer(request=request, found=found, table=table)


def _in_file(problem: DataError, request: SimilarRequest) -> DataError:
    """Return a problem with the name of the file before it, where it does not stand there already."""
    text, name = str(problem), request.file.name
    return problem if text.startswith((name, str(request.file))) else DataError(f"{name}: {text}")


def _require(request: SimilarRequest) -> None:
    for option, names in (("--pupils", request.pupils), ("--categories", request.categories)):
        unknown = [name for name in names if name not in request.on]
        if unknown:
            raise InputError(
                f"{option} names '{unknown[0]}', which is not compared on.{did_you_mean(unknown[0], request.on)} "
                f"--on names {listed(list(request.on), 20)}."
            )
    for option, names in (("--same", request.same), ("--not-same", request.not_same)):
        both = [name for name in names if name in request.pupils]
        if both:
            raise InputError(
                f"{option} names '{both[0]}', which counts pupils: units that share it, or do not, would tell small "
                f"counts. Take it out of {option}, or out of --pupils where it may be told."
            )
    unknown = [name for name in request.weights if name not in request.on]
    if unknown:
        raise InputError(
            f"--weight names '{unknown[0]}', which is not compared on.{did_you_mean(unknown[0], request.on)} "
            f"--on names {listed(list(request.on), 20)}."
        )
    both = [name for name in request.same if name in request.not_same]
    if both:
        raise InputError(f"'{both[0]}' is named by --same and by --not-same. Choose one.")


# What is told of the lists: one document for every drawing of it, CSV, and plain data.


def told_of_similar(answer: SimilarAnswer) -> CommandAnswer:
    """Return everything that may be told of the lists, each form made when it is asked for."""
    return CommandAnswer(
        document=lambda has_figures: similar_document(answer, has_figures),
        csv=lambda: _csv(answer),
        record=lambda: similar_record(answer),
    )


def similar_document(answer: SimilarAnswer, has_figures: bool) -> Document:
    """Return the list asked for, or what can be said of the lists of all units."""
    request, table = answer.request, answer.table
    parts = _summary(answer) if table is None else _one_list(table, has_figures)
    reading = Prose(reading_notes(answer.found.profiles), "list")
    return Document(
        title=f"{request.file.name}: the schools or areas most like {'each' if table is None else 'one'}",
        sections=((*parts, *((reading,) if reading.sentences else ())),),
    )


def _one_list(table: ReleasedTable, has_figures: bool) -> Iterator[Part]:
    yield table
    if has_figures:
        from evalkit.report.figures.similar import similar_strip

        yield similar_strip(table)


def _summary(answer: SimilarAnswer) -> Iterator[Part]:
    found = answer.found
    yield Prose(
        (
            Sentence(
                "Lists of the {length} most similar units, for {units}.",
                length=count(found.option.n, "schools"),
                units=count(len(found.asked), "schools", "unit"),
            ),
        )
    )
    yield closest(found)
    yield list_losses(found)
    if answer.request.output.file is None:
        yield Prose(("Name a unit with --for, or write all lists with --out FILE.csv.",), "list")


def reading_notes(profiles: Profiles) -> tuple[str, ...]:
    """Return which codes stood in the place of numbers, and what else a reader must know of the file."""
    return (*profiles.notes, *coded_notes(profiles.codes))


def _csv(answer: SimilarAnswer) -> str:
    """Return the list asked for, or all lists with a row for each unit and rank.

    Distances are left out of all lists where a characteristic counts pupils, as counts could be worked out of them.
    """
    if answer.table is not None:
        return answer.table.to_csv()
    pairs = answer.found.pairs()
    return frame_csv(pairs.drop(columns="distance") if answer.request.pupils else pairs, has_index=False)


def similar_record(answer: SimilarAnswer) -> Json:
    """Return the list asked for, or all lists, as plain data."""
    found = answer.found
    record: Json = _one(answer.table, str(answer.unit)) if answer.table else {"lists": _all(answer)}
    return record | {
        "characteristics": [
            {"name": one.name, "weight": one.weight, "sd": "category" if one.sd is None else one.sd}
            for one in found.characteristics
        ],
        "n_units": len(found.profiles.units),
        "left_out": {"n_units": len(found.profiles.left_out), "lacking": dict(found.profiles.lacking)},
        "same": list(found.option.same),
        "not_same": list(found.option.not_same),
        "n_short": found.n_short,
        "notes": list(reading_notes(found.profiles)),
        "closeness": {word: most for most, word in CLOSENESS},
    }


def _one(released: ReleasedTable, unit: str) -> Json:
    keys = [column.key for column in released.table.columns]
    own, *others = [dict(zip(keys, map(given, row), strict=True)) for row in released.table.rows]
    lacking = ("rank", "closeness", "distance")
    return {
        "unit": unit,
        "own": {key: value for key, value in own.items() if key not in lacking},
        "similar": others,
    }


def _all(answer: SimilarAnswer) -> list[Json]:
    ids = [str(one) for one in answer.found.profiles.units]
    lists = []
    for asked in answer.found.asked.tolist():
        rows: list[Json] = [
            {"rank": one.rank, "id": ids[one.position], "closeness": one.closeness}
            | ({} if answer.request.pupils else {"distance": one.distance})
            for one in answer.found.of(answer.found.profiles.units[asked])
        ]
        lists.append({"unit": ids[asked], "similar": rows})
    return lists
