"""`evalkit match FILE …`: from its options, which hold together, to the request, and from there to the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.core.draws import LEVEL, SEED
from evalkit.core.errors import InputError
from evalkit.design.matching.options import CovariateCaliper, MatchingOption, WeightingOption, named_option
from evalkit.run.commands.match import METHODS, OF_METHODS, OUT_KINDS
from evalkit.run.processes.executors import ExecutorChoice, compute_on_one_thread, executor_choice
from evalkit.run.tables.written import Output, output_of, tell
from evalkit.run.typed_paths import table_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRequest:
    """What was asked: the file, which column plays which part, the method with its options, what is estimated.

    `chosen` holds the options of the method that were given, under their names; the others keep their defaults.
    """

    file: Path
    treated: str
    on: tuple[str, ...]
    unit: str | None
    exact: tuple[str, ...]
    anti_exact: tuple[str, ...]
    categories: tuple[str, ...]
    is_missing_a_category: bool
    method: str
    estimand: str
    chosen: dict[str, Any]
    outcome: str | None
    adjust: tuple[str, ...]
    adjustment: str | None
    errors: str | None
    cluster: str | None
    earlier: tuple[str, ...]
    are_people: bool
    level: float
    seed: int
    output: Output
    where: ExecutorChoice


def match_command(given: Given) -> int:
    """Match, tell the result, and return the exit code 0."""
    request = match_request(given)  # before the slow imports, so that a file that cannot be is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.match import told_of_match
    from evalkit.run.tables.match_answer import match_answer, no_small_counts_told

    with environment_faults("matching"), no_small_counts_told(request.are_people):
        tell(told_of_match(match_answer(request, request.output.progress)), request.output)
    return 0


def match_request(given: Given) -> MatchRequest:
    """Return the request of a command line; raise `InputError` where a file, or a part of an option, cannot be."""
    file = table_file(given.file)
    return MatchRequest(
        file=file,
        treated=given.treated,
        on=names_of(given.on, "--on"),
        unit=given.id,
        exact=names_of(given.exact, "--exact"),
        anti_exact=names_of(given.anti_exact, "--anti-exact"),
        categories=names_of(given.categories, "--categories"),
        is_missing_a_category=given.missing == "category",
        method=given.method or METHODS[0],
        estimand=given.estimand or "ATT",
        chosen=_chosen(given),
        outcome=given.outcome,
        adjust=names_of(given.adjust, "--adjust"),
        adjustment=given.adjustment,
        errors=given.errors,
        cluster=given.cluster,
        earlier=names_of(given.earlier, "--earlier"),
        are_people=bool(given.people),
        level=LEVEL if given.level is None else given.level,
        seed=SEED if given.seed is None else given.seed,
        output=output_of(given, file, OUT_KINDS),
        where=executor_choice(given),
    )


def _chosen(given: Given) -> dict[str, Any]:
    """Return the options of methods that were given, read as what they mean."""
    found: dict[str, Any] = {
        name: getattr(given, name) for name in OF_METHODS if getattr(given, name, None) is not None
    }
    found.pop("exact", None)
    found.pop("anti_exact", None)
    if "caliper_on" in found:
        calipers: dict[str, CovariateCaliper] = {}
        for text in found["caliper_on"]:
            name, width = caliper_of(text)
            if name in calipers:
                raise InputError(f"--caliper-on names '{name}' twice. Give one width for it.")
            calipers[name] = width
        found["caliper_on"] = calipers
    if "cutpoints" in found:
        found["cutpoints"] = dict(cutpoints_of(text) for text in found["cutpoints"])
    if "mahalanobis_on" in found:
        found["mahalanobis_on"] = names_of(found["mahalanobis_on"], "--mahalanobis-on")
    return found


# The parts of options that are written as texts: lists of names, calipers, cutpoints.


def names_of(text: str | None, option: str) -> tuple[str, ...]:
    """Return the names in `a,b`; raise `InputError` for an empty one."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise InputError(f"{option} {text!r} names an empty column. Give names with single commas between: a,b.")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{option} names '{twice[0]}' twice. Name it once.")
    return names


def caliper_of(text: str) -> tuple[str, CovariateCaliper]:
    """Return the covariate and width of `age=0.2` (SDs) or `age=5units`."""
    name, mark, width = text.rpartition("=")
    in_units = width.endswith("units")
    number = _positive(width.removesuffix("units"))
    if not (mark and name.strip()) or number is None:
        raise InputError(
            f"--caliper-on {text!r}: give a covariate and a positive width, such as age=0.2 (SDs) or age=5units."
        )
    return name.strip(), CovariateCaliper(width=number, in_units=in_units)


def cutpoints_of(text: str) -> tuple[str, int | tuple[float, ...]]:
    """Return the covariate and bins of `age=4` (their number) or `age=8.5:11.5` (the cutpoints)."""
    name, mark, places = text.rpartition("=")
    try:
        numbers = tuple(float(part) for part in places.split(":"))
    except ValueError:
        numbers = ()
    if not (mark and name.strip() and numbers):
        raise InputError(f"--cutpoints {text!r}: give a number of bins, age=4, or cutpoints, age=8.5:11.5.")
    if len(numbers) == 1 and numbers[0] == int(numbers[0]) and ":" not in places:
        return name.strip(), int(numbers[0])
    return name.strip(), numbers


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


# From what was asked to the option object of its method.


def option_of(request: MatchRequest) -> MatchingOption | WeightingOption:
    """Return the option object of the method that was asked for."""
    if request.method == "nearest":
        for name in ("fewest", "most"):
            _require_whole(name, request.chosen.get(name, 1))
    return named_option(request.method, request.chosen, request.exact, request.anti_exact)


def _require_whole(name: str, number: float) -> None:
    if number != int(number):
        raise InputError(f"--{name} is a whole number for nearest neighbours, not {number:g}.")
