"""The options of `evalkit did`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.core.words import listed
from evalkit.run.commands.options import (
    TABLE,
    Declared,
    add_output_options,
    add_where_options,
    option_name,
    refuse_level,
    refuse_seed,
    refuse_where,
)

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Any, Final

    from evalkit.run.commands.options import Given, Options

ESTIMATORS: Final = ("group-time", "imputation", "sun-abraham", "extended", "two-stage", "twfe", "all")

MOST_DRAWS: Final = 100_000

_UNUSED: Final[dict[str, tuple[str, ...]]] = {
    "group-time": (),
    "imputation": ("method", "comparison", "base_period", "repeated_cross_sections", "bounds"),
    "sun-abraham": ("method", "comparison", "base_period", "repeated_cross_sections"),
    "extended": ("method", "base_period", "repeated_cross_sections"),
    "two-stage": ("method", "comparison", "base_period", "repeated_cross_sections", "bounds"),
    "twfe": (
        "method",
        "comparison",
        "anticipation",
        "base_period",
        "repeated_cross_sections",
        "unbalanced",
        "bootstrap",
        "draw",
        "balanced_until",
        "bounds",
    ),
    "all": ("repeated_cross_sections",),
}

"""Options that an estimator has no use for; given all the same they are refused."""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit did`; an option that was not given is None."""
    parser.add_argument("file", metavar="FILE", help=TABLE)
    columns = parser.add_argument_group("columns")
    columns.add_argument("--unit", required=True, metavar="U", help="id of the unit, such as a school")
    columns.add_argument("--period", required=True, metavar="T", help="period: a year, school year, quarter or month")
    columns.add_argument("--outcome", required=True, metavar="Y", help="the outcome, a number")
    columns.add_argument("--cohort", required=True, metavar="G", help="first treated period; empty: never treated")
    columns.add_argument("--covariates", metavar="A,B", help="numbers that comparisons are adjusted for")
    columns.add_argument("--weights", metavar="W", help="weight of each row, such as its number of pupils")
    columns.add_argument("--cluster", metavar="C", help="what errors are clustered by (default: the unit)")
    _add_method(parser.add_argument_group("method"))
    _add_errors(parser.add_argument_group("errors and output"))


def _add_method(group: Any) -> None:
    group.add_argument("--estimator", choices=ESTIMATORS, help="default: group-time; all: side by side")
    group.add_argument("--method", choices=("dr", "ipw", "reg"), help="how covariates are adjusted for")
    group.add_argument("--comparison", choices=("never", "not-yet"), help="who is compared with")
    group.add_argument("--anticipation", type=int, metavar="K", help="periods before the start with an early effect")
    group.add_argument("--base-period", choices=("varying", "universal"), help="what early periods are measured from")
    group.add_argument("--unbalanced", choices=("pairs", "complete", "levels"), help="units that lack periods")
    group.add_argument(
        "--repeated-cross-sections", action="store_true", default=None, help="other people in each period"
    )
    group.add_argument(
        "--balanced-until", type=int, metavar="E", help="event study of cohorts seen E periods after their start"
    )


def _add_errors(group: Any) -> None:
    group.add_argument("--bootstrap", type=int, metavar="N", help="draws of the bootstrap, such as 999")
    group.add_argument(
        "--draw",
        choices=("multipliers", "clusters"),
        help="what is drawn: multipliers of each cluster's contribution (default, quick), or clusters, estimated anew",
    )
    group.add_argument(
        "--bounds", action="store_true", default=None, help="how far trends could part before the interval reaches 0"
    )
    group.add_argument("--seed", type=int, metavar="S", help="seed of every draw (default: 1)")
    group.add_argument("--level", type=float, metavar="P", help="level of intervals and bands (default: 0.95)")
    group.add_argument("--people", action="store_true", help="units are people: nothing that rests on few is told")
    add_output_options(group, main_table="the effect by time since the start")
    add_where_options(group)


def estimator_of(given: Given) -> str:
    """Return the estimator that was asked for, the first where none was named."""
    estimator: str = given.estimator or ESTIMATORS[0]
    return estimator


def refuse(given: Given) -> None:
    """Raise `InputError` where two options exclude each other or a number lies outside its range."""
    estimator = estimator_of(given)
    _refuse_unused(given, estimator)
    _refuse_outside(given)
    refuse_where(given, _idle(given, estimator))


def _idle(given: Given, estimator: str) -> str:
    """Return why nothing would be shared out among workers, an empty text where something is."""
    if estimator in ("all", "twfe") or given.draw == "clusters":
        return ""
    return "nothing is replicated here that takes long. Add --bootstrap 999 --draw clusters, or leave it out"


def _refuse_unused(given: Given, estimator: str) -> None:
    unused = [option_name(name) for name in _UNUSED[estimator] if getattr(given, name) is not None]
    if unused:
        raise InputError(f"The estimator '{estimator}' has no use for {listed(unused)}. Leave it out and try again.")
    if given.people and estimator in ("twfe", "all"):
        raise InputError(
            f"--people withholds what rests on few people, cohort by cohort, and the estimator '{estimator}' does not "
            "keep cohorts apart. Choose one of the others, such as group-time."
        )
    if given.unbalanced == "levels" and estimator not in ("group-time", "all"):
        raise InputError(
            f"The estimator '{estimator}' follows units over time, so --unbalanced levels has no meaning for it. "
            "Use pairs or complete."
        )
    if given.unbalanced is not None and given.repeated_cross_sections:
        raise InputError(
            "--unbalanced is for panels: repeated cross-sections have no units that could lack periods. Leave it out."
        )


def _refuse_outside(given: Given) -> None:
    """Raise `InputError` where a number lies outside its range."""
    refuse_level(given.level)
    if given.bootstrap is not None and given.bootstrap != 0 and not 99 <= given.bootstrap <= MOST_DRAWS:
        raise InputError(f"--bootstrap takes from 99 to {MOST_DRAWS:,} draws, not {given.bootstrap}; 999 for a report.")
    if given.draw is not None and not given.bootstrap:
        raise InputError("--draw says what a bootstrap draws. Give the number of draws as well: --bootstrap 999.")
    if given.draw == "clusters" and given.balanced_until is not None:
        raise InputError("--balanced-until has no errors from clusters drawn again. Leave it or --draw clusters out.")
    for name in ("anticipation", "balanced_until"):
        value = getattr(given, name)
        if value is not None and value < 0:
            raise InputError(f"{option_name(name)} is a whole number from 0 on, not {value}.")
    refuse_seed(given.seed)


DID: Final = Declared(
    add_options,
    description="Difference-in-differences with cohorts that start in different periods, from a table.",
    examples={
        "evalkit did schools.csv --unit urn --period year --outcome ks2 --cohort start": (
            "effects by cohort and year, an event study, and the whole"
        ),
        (
            "evalkit did schools.csv --unit urn --period year --outcome ks2 --cohort start --cluster la"
            " --covariates fsm,eal"
        ): ("adjusted for two covariates, errors clustered by area"),
        "evalkit did schools.parquet --unit urn --period year --outcome ks2 --cohort start --estimator all --json": (
            "every estimator side by side, as JSON"
        ),
        "evalkit did pupils.csv --unit urn --period year --outcome score --cohort start --repeated-cross-sections": (
            "other pupils each year; what rests on few is withheld"
        ),
    },
    epilog="""\
The table has one row for each unit and period. The cohort is the first treated period; an empty cohort means never
treated. FILE is a .csv, .csv.gz or .parquet file. The result goes to standard output, progress to standard error.

Defaults: doubly robust (dr), never-treated comparison (not-yet for --estimator extended), varying base period,
analytic standard errors clustered by unit and, where few clusters carry a number, corrected for it or withheld with
the reason, no bootstrap, unbalanced panels by pairs of periods. Results do not depend on -j or --scheduler.
""",
    refuse=refuse,
)
