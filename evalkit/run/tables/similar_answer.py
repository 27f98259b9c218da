"""From a request and its table to lists of similar units."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.core.errors import DataError, InputError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.own_tables.unit_table import read_profiles
from evalkit.data.profiles import ProfileRoles
from evalkit.design.similar import SimilarOptions, SimilarUnits, similar_units
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.tables.similar import similar
from evalkit.run.console import Progress
from evalkit.run.tables.similar import SimilarRequest


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
