"""`evalkit similar FILE …`: from its options, which hold together, to the request, and from there to the lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.core.errors import InputError
from evalkit.run.tables.match_options import names_of
from evalkit.run.tables.written import Output, output_of
from evalkit.run.typed_paths import table_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarRequest:
    """What was asked: the file, which column plays which part, how likeness is measured, and for whom."""

    file: Path
    unit: str
    on: tuple[str, ...]
    categories: tuple[str, ...]
    name: str | None
    same: tuple[str, ...]
    not_same: tuple[str, ...]
    show: tuple[str, ...]
    pupils: tuple[str, ...]
    weights: dict[str, float]
    sd_within_same: bool
    n: int
    wanted: str | None
    output: Output


def similar_command(given: Given) -> int:
    """List, tell the result, and return the exit code 0."""
    request = similar_request(given)  # before the slow imports, so that a file that cannot be is told at once
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.similar import similar_answer, told_of_similar
    from evalkit.run.tables.written import tell

    with environment_faults("comparing"):
        tell(told_of_similar(similar_answer(request, request.output.progress)), request.output)
    return 0


def similar_request(given: Given) -> SimilarRequest:
    """Return the request of a command line; raise `InputError` where something in it cannot be."""
    file = table_file(given.file)
    same, not_same = names_of(given.same, "--same"), names_of(given.not_same, "--not-same")
    return SimilarRequest(
        file=file,
        unit=given.id,
        on=names_of(given.on, "--on"),
        categories=names_of(given.categories, "--categories"),
        name=given.name,
        same=same,
        not_same=not_same,
        show=names_of(given.show, "--show"),
        pupils=names_of(given.pupils, "--pupils"),
        weights=_weights(given.weight or []),
        sd_within_same=given.sd_within_same,
        n=given.n,
        wanted=given.wanted,
        output=_output(given, file),
    )


def _weights(texts: list[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for text in texts:
        name, mark, size = text.rpartition("=")
        try:
            weight = float(size)
        except ValueError:
            weight = 0.0
        if not (mark and name.strip() and 0 < weight < 1e6):
            raise InputError(f"--weight {text!r}: give a characteristic and a positive number, such as fsm=2.")
        if name.strip() in weights:
            raise InputError(f"--weight names '{name.strip()}' twice. Give it one weight.")
        weights[name.strip()] = weight
    return weights


def _output(given: Given, file: Path) -> Output:
    """Return where the lists go; raise `InputError` where a document was asked for, which is of one list, of none."""
    output = output_of(given, file)
    if output.file is not None and output.file.suffix.lower() != ".csv" and given.wanted is None:
        raise InputError(
            "A page or document is for the list of one unit. Name it with --for, or write all lists to a .csv file."
        )
    return output
