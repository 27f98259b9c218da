"""`evalkit did FILE …`: what it may be asked, and the request that is left when everything in it holds together."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, Final

from evalkit.core.errors import InputError
from evalkit.core.questions import DidQuestion
from evalkit.core.words import listed
from evalkit.run.processes.executors import ExecutorChoice, add_executor_options, compute_on_one_thread, executor_choice
from evalkit.run.tables.written import Output, add_output_options, output_of, tell
from evalkit.run.typed_paths import table_file

ESTIMATORS: Final = ("group-time", "imputation", "sun-abraham", "extended", "two-stage", "twfe", "all")
MOST_DRAWS: Final = 100_000
MAIN_TABLE: Final = "the effect by time since the start"

_UNUSED: Final[dict[str, tuple[str, ...]]] = {
    "group-time": (),
    "imputation": ("method", "comparison", "base_period", "repeated_cross_sections"),
    "sun-abraham": ("method", "comparison", "base_period", "repeated_cross_sections"),
    "extended": ("method", "base_period", "repeated_cross_sections"),
    "two-stage": ("method", "comparison", "base_period", "repeated_cross_sections"),
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
    ),
    "all": ("repeated_cross_sections",),
}
"""Options that an estimator has no use for; given all the same they are refused."""

_EPILOG: Final = """\
The table has one row for each unit and period. The cohort is the first treated period; an empty cohort means never
treated. FILE is a .csv, .csv.gz or .parquet file. The result goes to standard output, progress to standard error.

Defaults: doubly robust (dr), never-treated comparison (not-yet for --estimator extended), varying base period,
analytic standard errors clustered by unit and, where few clusters carry a number, corrected for it or withheld with
the reason, no bootstrap, unbalanced panels by pairs of periods. Results do not depend on -j or --scheduler.
"""


@dataclass(frozen=True, slots=True)
class DidRequest:
    """A command line whose options hold together: what is asked, where the answer goes, and where it is worked out."""

    question: DidQuestion
    output: Output
    where: ExecutorChoice


def add_did_command(commands: Any) -> None:
    """Give a command line's subparsers the command `did`."""
    parser = commands.add_parser(
        "did",
        help="estimate effects from a table, without a project",
        description="Difference-in-differences with cohorts that start in different periods, from a table.",
        allow_abbrev=False,
    )
    add_did_options(parser)
    parser.set_defaults(command=_did)


def _did(given: argparse.Namespace) -> int:
    """Estimate, print or write the result, and return the exit code 0."""
    request = did_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.did import did_answer, did_told

    with environment_faults("estimating"):
        answer = did_answer(request, request.output.progress)
        tell(did_told(answer), request.output)
    return 0


def add_did_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of `evalkit did`; an option that was not given is None."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE", help="a .csv, .csv.gz or .parquet file")
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
    group.add_argument("--seed", type=int, metavar="S", help="seed of every draw (default: 1)")
    group.add_argument("--level", type=float, metavar="P", help="level of intervals and bands (default: 0.95)")
    group.add_argument("--people", action="store_true", help="units are people: nothing that rests on few is told")
    add_output_options(group, main_table=MAIN_TABLE)
    add_executor_options(group)


def did_request(given: argparse.Namespace) -> DidRequest:
    """Return the request of a command line; raise `InputError` where two options exclude each other."""
    estimator = given.estimator or "group-time"
    _refuse_unused(given, estimator)
    _refuse_outside(given)
    question = DidQuestion(
        file=table_file(given.file),
        parts={
            "unit": given.unit,
            "period": given.period,
            "outcome": given.outcome,
            "cohort": given.cohort,
            "cluster": given.cluster,
            "weight": given.weights,
        },
        covariates=_names(given.covariates),
        estimator=estimator,
        method=given.method or "dr",
        comparison=given.comparison or ("not-yet" if estimator == "extended" else "never"),
        anticipation=given.anticipation or 0,
        base_period=given.base_period or "varying",
        unbalanced=given.unbalanced or "pairs",
        is_cross_section=bool(given.repeated_cross_sections),
        are_units_people=given.people,
        n_draws=given.bootstrap or 0,
        are_clusters_drawn=given.draw == "clusters",
        seed=1 if given.seed is None else given.seed,
        level=0.95 if given.level is None else given.level,
        balanced_until=given.balanced_until,
    )
    return DidRequest(question, output_of(given, question.file), executor_choice(given, _idle(given, estimator)))


def _idle(given: argparse.Namespace, estimator: str) -> str:
    """Return why nothing would be shared out among workers, an empty text where something is."""
    if estimator in ("all", "twfe") or given.draw == "clusters":
        return ""
    return "nothing is replicated here that takes long. Add --bootstrap 999 --draw clusters, or leave it out"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _refuse_unused(given: argparse.Namespace, estimator: str) -> None:
    unused = [_option(name) for name in _UNUSED[estimator] if getattr(given, name) is not None]
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


def _refuse_outside(given: argparse.Namespace) -> None:
    """Raise `InputError` where a number lies outside its range."""
    if given.level is not None and not 0 < given.level < 1:
        raise InputError(f"--level lies between 0 and 1, not at {given.level:g}. The usual one is 0.95.")
    if given.bootstrap is not None and given.bootstrap != 0 and not 99 <= given.bootstrap <= MOST_DRAWS:
        raise InputError(f"--bootstrap takes from 99 to {MOST_DRAWS:,} draws, not {given.bootstrap}; 999 for a report.")
    if given.draw is not None and not given.bootstrap:
        raise InputError("--draw says what a bootstrap draws. Give the number of draws as well: --bootstrap 999.")
    if given.draw == "clusters" and given.balanced_until is not None:
        raise InputError("--balanced-until has no errors from clusters drawn again. Leave it or --draw clusters out.")
    for name in ("anticipation", "balanced_until", "seed"):
        value = getattr(given, name)
        if value is not None and value < 0:
            raise InputError(f"{_option(name)} is a whole number from 0 on, not {value}.")


def _names(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise InputError(f"--covariates {text!r} names an empty column. Give names with single commas between: a,b.")
    return names
