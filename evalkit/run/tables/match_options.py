"""`evalkit match FILE …`: what it may be asked, and the request that is left when everything in it holds together."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import InputError
from evalkit.core.words import listed
from evalkit.design.matching.options import (
    CoarsenedExact,
    CovariateBalancing,
    CovariateCaliper,
    EntropyBalancing,
    ExactMatching,
    FullMatching,
    InverseProbability,
    MatchingOption,
    NearestNeighbour,
    OptimalMatching,
    ProfileMatching,
    Subclassification,
    WeightingOption,
)
from evalkit.run.processes.executors import (
    ExecutorChoice,
    add_executor_options,
    compute_on_one_thread,
    executor_choice,
)
from evalkit.run.tables.written import KINDS, Output, add_output_options, output_of, tell
from evalkit.run.typed_paths import table_file

METHODS: Final = (
    "nearest",
    "optimal",
    "full",
    "exact",
    "cem",
    "subclass",
    "profile",
    "entropy",
    "ipw",
    "cbps",
)
DISTANCES: Final = ("logit", "linear-logit", "probit", "mahalanobis", "robust-mahalanobis", "euclidean")
ADJUSTMENTS: Final = ("g-computation", "additive", "bias-corrected")
ERRORS: Final = ("HC1", "HC3", "cluster", "two-way", "CR2", "abadie-imbens", "m-estimation", "bootstrap")
OUT_KINDS: Final = (*KINDS, ".json")

_PAIRED: Final = ("distance", "mahalanobis_on", "exact", "anti_exact", "caliper", "caliper_on", "common_support")
_USES: Final[dict[str, tuple[str, ...]]] = {
    "nearest": (*_PAIRED, "ratio", "replace", "reuse", "fewest", "most", "order", "within_first"),
    "optimal": (*_PAIRED, "ratio"),
    "full": (*_PAIRED, "fewest", "most"),
    "exact": (),
    "cem": ("cutpoints", "one_to_one"),
    "subclass": ("distance", "subclasses", "common_support"),
    "profile": ("exact", "tolerance"),
    "entropy": ("moments",),
    "ipw": ("distance", "trim"),
    "cbps": (),
}
"""Options that a method uses beside those that all use; any other that is given is refused."""
_OF_METHODS: Final = tuple(dict.fromkeys(name for names in _USES.values() for name in names))

_EPILOG: Final = """\
The table has one row for each unit. TREATED holds 0 and 1. Columns of texts are compared by category. FILE is a .csv,
.csv.gz or .parquet file. The outcome is read, but no method of matching or weighting is shown it. The result goes to
standard output, progress to standard error.

Defaults: nearest neighbours by propensity score (logit), 1:1, without replacement, ATT; standard errors clustered by
matched pair (by pair and comparison unit with replacement), with --cluster corrected (CR2) where clusters are few.
Ties go to the unit whose id comes first (shorter ids first, then by letter).
"""


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


def add_match_command(commands: Any) -> None:
    """Give a command line's subparsers the command `match`."""
    parser = commands.add_parser(
        "match",
        help="choose a comparison group from a table, without a project",
        description="Match or weight comparison units by what was known before, and compare outcomes.",
        allow_abbrev=False,
    )
    add_match_options(parser)
    parser.set_defaults(command=_match)


def _match(given: argparse.Namespace) -> int:
    """Match, tell the result, and return the exit code 0."""
    request = match_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.match import told_of_match
    from evalkit.run.tables.match_answer import match_answer
    from evalkit.run.tables.match_border import no_small_counts_told

    with environment_faults("matching"), no_small_counts_told(request.are_people):
        tell(told_of_match(match_answer(request, request.output.progress)), request.output)
    return 0


def add_match_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of `evalkit match`; an option that was not given is None."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE", help="a .csv, .csv.gz or .parquet file")
    columns = parser.add_argument_group("columns")
    columns.add_argument("--treated", required=True, metavar="T", help="who took part: 0 and 1")
    columns.add_argument("--on", required=True, metavar="A,B", help="covariates that are compared on")
    columns.add_argument("--id", metavar="ID", help="id of the unit (default: the number of its row)")
    columns.add_argument("--exact", metavar="E,F", help="columns that partners must share")
    columns.add_argument("--anti-exact", metavar="G", help="columns that partners must not share")
    columns.add_argument("--categories", metavar="A", help="covariates of numbers that are categories all the same")
    columns.add_argument("--missing", choices=("refuse", "category"), help="covariates that are missing")
    _add_method(parser.add_argument_group("method"))
    _add_constraints(parser.add_argument_group("options of single methods"))
    _add_estimate(parser.add_argument_group("effect and output"))


def _add_method(group: Any) -> None:
    group.add_argument("--method", choices=METHODS, help="default: nearest")
    group.add_argument("--distance", choices=DISTANCES, help="default: logit")
    group.add_argument("--estimand", choices=("ATT", "ATC", "ATE"), help="whose average effect (default: ATT)")
    group.add_argument("--ratio", type=int, metavar="K", help="partners for each unit (default: 1)")
    group.add_argument("--replace", action="store_true", default=None, help="partners may serve more than once")
    group.add_argument("--caliper", type=float, metavar="X", help="most distance, in SDs of the propensity score")
    group.add_argument(
        "--caliper-on",
        action="append",
        metavar="A=X",
        help="most difference in a covariate, in its SDs (A=0.2) or its own units (A=5units); may be repeated",
    )


def _add_constraints(group: Any) -> None:
    group.add_argument("--order", choices=("largest", "smallest", "closest", "id"), help="nearest: whose turn it is")
    group.add_argument("--reuse", type=int, metavar="K", help="nearest: most times a partner serves")
    group.add_argument("--fewest", type=float, metavar="K", help="nearest, full: fewest comparison units for a treated")
    group.add_argument("--most", type=float, metavar="K", help="nearest, full: most comparison units for a treated")
    group.add_argument("--within-first", metavar="L", help="nearest: partners that share L before any other")
    group.add_argument("--mahalanobis-on", metavar="A,B", help="Mahalanobis distance on these inside a --caliper")
    group.add_argument(
        "--common-support", choices=("treated", "comparison", "both"), help="discard units outside the other's scores"
    )
    group.add_argument(
        "--cutpoints", action="append", metavar="A=5", help="cem: number of bins, or cutpoints A=8.5:11.5"
    )
    group.add_argument("--one-to-one", action="store_true", default=None, help="cem: as many of each arm in a stratum")
    group.add_argument("--subclasses", type=int, metavar="N", help="subclass: number of subclasses (default: 6)")
    group.add_argument("--tolerance", type=float, metavar="X", help="profile: most difference in means, in SDs")
    group.add_argument("--moments", type=int, choices=(1, 2, 3), help="entropy: powers of covariates that are balanced")
    group.add_argument("--trim", type=float, metavar="P", help="ipw: leave out scores outside P to 1 − P")


def _add_estimate(group: Any) -> None:
    group.add_argument("--outcome", metavar="Y", help="the outcome, a number")
    group.add_argument("--adjust", metavar="A,B", help="numbers that the estimate is adjusted for")
    group.add_argument("--adjustment", choices=ADJUSTMENTS, help="how (default: g-computation)")
    group.add_argument("--errors", choices=ERRORS, help="kind of standard error (default: the one that suits)")
    group.add_argument("--cluster", metavar="C", help="clusters above the unit, such as areas")
    group.add_argument("--earlier", metavar="A,B", help="earlier measures of the outcome, oldest first")
    group.add_argument("--level", type=float, metavar="P", help="level of intervals (default: 0.95)")
    group.add_argument("--seed", type=int, metavar="S", help="seed of every draw (default: 1)")
    group.add_argument("--people", action="store_true", help="units are people: no small counts of them in documents")
    add_output_options(group, main_table="each unit with its weight and matched set", kinds=OUT_KINDS)
    add_executor_options(group)


def match_request(given: argparse.Namespace) -> MatchRequest:
    """Return the request of a command line; raise `InputError` where two options exclude each other."""
    method = given.method or "nearest"
    _refuse_unused(given, method)
    _refuse_outside(given)
    _refuse_without_outcome(given)
    return MatchRequest(
        file=table_file(given.file),
        treated=given.treated,
        on=names_of(given.on, "--on"),
        unit=given.id,
        exact=names_of(given.exact, "--exact"),
        anti_exact=names_of(given.anti_exact, "--anti-exact"),
        categories=names_of(given.categories, "--categories"),
        is_missing_a_category=given.missing == "category",
        method=method,
        estimand=given.estimand or "ATT",
        chosen=_chosen(given),
        outcome=given.outcome,
        adjust=names_of(given.adjust, "--adjust"),
        adjustment=given.adjustment,
        errors=given.errors,
        cluster=given.cluster,
        earlier=names_of(given.earlier, "--earlier"),
        are_people=bool(given.people),
        level=0.95 if given.level is None else given.level,
        seed=1 if given.seed is None else given.seed,
        output=output_of(given, table_file(given.file), OUT_KINDS),
        where=executor_choice(given, "" if given.errors == "bootstrap" else "none are made. Add --errors bootstrap"),
    )


def option_name(name: str) -> str:
    """Return an option as it is typed."""
    return "--" + name.replace("_", "-")


def _chosen(given: argparse.Namespace) -> dict[str, Any]:
    """Return the options of methods that were given, read as what they mean."""
    found: dict[str, Any] = {
        name: getattr(given, name) for name in _OF_METHODS if getattr(given, name, None) is not None
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


def _refuse_unused(given: argparse.Namespace, method: str) -> None:
    unused = [
        option_name(name)
        for name in _OF_METHODS
        if getattr(given, name, None) is not None and name not in _USES[method]
    ]
    if unused:
        raise InputError(f"The method '{method}' has no use for {listed(unused)}. Leave it out and try again.")
    if given.mahalanobis_on is not None and given.caliper is None:
        raise InputError("--mahalanobis-on is a distance inside a score caliper. Give --caliper as well.")
    if method in ("subclass", "ipw") and given.distance in ("mahalanobis", "robust-mahalanobis", "euclidean"):
        raise InputError(f"The method '{method}' needs a score: logit, linear-logit or probit, not {given.distance}.")
    if method == "ipw" and given.distance == "linear-logit":
        raise InputError("The method 'ipw' needs a probability: --distance logit or probit.")
    if given.reuse is not None and given.replace:
        raise InputError("--replace lets partners serve any number of times and --reuse limits it. Give one of them.")


def _refuse_outside(given: argparse.Namespace) -> None:
    """Raise `InputError` where a number lies outside its range."""
    if given.level is not None and not 0 < given.level < 1:
        raise InputError(f"--level lies between 0 and 1, not at {given.level:g}. The usual one is 0.95.")
    for name in ("ratio", "reuse", "subclasses"):
        value, least = getattr(given, name), 2 if name == "subclasses" else 1
        if value is not None and value < least:
            raise InputError(f"{option_name(name)} is a whole number from {least} on, not {value}.")
    for name in ("caliper", "tolerance", "fewest", "most"):
        value = getattr(given, name)
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{option_name(name)} is a positive number, not {value:g}.")
    if given.trim is not None and not 0 < given.trim < 0.5:
        raise InputError(f"--trim lies between 0 and 0.5, not at {given.trim:g}.")
    if given.seed is not None and given.seed < 0:
        raise InputError(f"--seed is a whole number from 0 on, not {given.seed}.")


def _refuse_without_outcome(given: argparse.Namespace) -> None:
    if given.outcome is not None:
        if given.adjustment is not None and given.adjust is None:
            raise InputError("--adjustment says how --adjust is used. Name what to adjust for with --adjust.")
        return
    useless = [name for name in ("adjust", "adjustment", "errors", "cluster") if getattr(given, name) is not None]
    if useless:
        raise InputError(f"{option_name(useless[0])} is for an effect. Name the outcome with --outcome.")


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

_FIELDS: Final = {
    "replace": "replacement",
    "reuse": "reuse_limit",
    "caliper_on": "calipers",
    "subclasses": "n_subclasses",
}
"""Options that are called otherwise in the option objects."""


def option_of(request: MatchRequest) -> MatchingOption | WeightingOption:
    """Return the option object of the method that was asked for."""
    makers: dict[str, Callable[..., MatchingOption | WeightingOption]] = {
        "nearest": NearestNeighbour,
        "optimal": OptimalMatching,
        "full": FullMatching,
        "exact": ExactMatching,
        "cem": CoarsenedExact,
        "subclass": Subclassification,
        "profile": ProfileMatching,
        "entropy": EntropyBalancing,
        "ipw": InverseProbability,
        "cbps": CovariateBalancing,
    }
    return makers[request.method](**_given(request))


def _given(request: MatchRequest) -> dict[str, Any]:
    fields = {_FIELDS.get(name, name): value for name, value in request.chosen.items()}
    if request.method in ("nearest", "optimal", "full"):
        fields |= {"exact": request.exact, "anti_exact": request.anti_exact}
    elif request.method == "profile":
        fields["exact"] = request.exact
    if request.method == "nearest":
        fields |= {name: _whole(name, fields[name]) for name in ("fewest", "most") if name in fields}
    if request.method == "ipw" and "distance" in fields:
        fields["link"] = fields.pop("distance")
    return fields


def _whole(name: str, number: float) -> int:
    if number != int(number):
        raise InputError(f"--{name} is a whole number for nearest neighbours, not {number:g}.")
    return int(number)
