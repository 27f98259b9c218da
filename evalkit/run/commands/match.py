"""The options of `evalkit match`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.core.words import listed
from evalkit.run.commands.options import (
    KINDS,
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

USES: Final[dict[str, tuple[str, ...]]] = {
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

OF_METHODS: Final = tuple(dict.fromkeys(name for names in USES.values() for name in names))


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit match`; an option that was not given is None."""
    parser.add_argument("file", metavar="FILE", help=TABLE)
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
    add_where_options(group)


def refuse(given: Given) -> None:
    """Raise `InputError` where two options exclude each other or a number lies outside its range."""
    _refuse_unused(given, given.method or METHODS[0])
    _refuse_outside(given)
    _refuse_without_outcome(given)
    refuse_where(given, "" if given.errors == "bootstrap" else "none are made. Add --errors bootstrap")


def _refuse_unused(given: Given, method: str) -> None:
    unused = [
        option_name(name) for name in OF_METHODS if getattr(given, name, None) is not None and name not in USES[method]
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


def _refuse_outside(given: Given) -> None:
    """Raise `InputError` where a number lies outside its range."""
    refuse_level(given.level)
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
    refuse_seed(given.seed)


def _refuse_without_outcome(given: Given) -> None:
    if given.outcome is not None:
        if given.adjustment is not None and given.adjust is None:
            raise InputError("--adjustment says how --adjust is used. Name what to adjust for with --adjust.")
        return
    useless = [name for name in ("adjust", "adjustment", "errors", "cluster") if getattr(given, name) is not None]
    if useless:
        raise InputError(f"{option_name(useless[0])} is for an effect. Name the outcome with --outcome.")


MATCH: Final = Declared(
    add_options,
    description="Match or weight comparison units by what was known before, and compare outcomes.",
    examples={
        "evalkit match schools.csv --id urn --treated treat --on fsm,eal,ks2_2017": (
            "a partner for each treated school, and the balance"
        ),
        (
            "evalkit match schools.csv --id urn --treated treat --on fsm,ks2_2017 --exact phase --caliper 0.2"
            " --outcome ks2_2019"
        ): "partners of the same phase within a caliper, and the effect",
        "evalkit match schools.csv --id urn --treated treat --on fsm,ks2_2017 --method entropy --out weights.csv": (
            "weights in place of partners, written to a file"
        ),
    },
    epilog="""\
The table has one row for each unit. TREATED holds 0 and 1. Columns of texts are compared by category. FILE is a .csv,
.csv.gz or .parquet file. The outcome is read, but no method of matching or weighting is shown it. The result goes to
standard output, progress to standard error.

Defaults: nearest neighbours by propensity score (logit), 1:1, without replacement, ATT; standard errors clustered by
matched pair (by pair and comparison unit with replacement), with --cluster corrected (CR2) where clusters are few.
Ties go to the unit whose id comes first (shorter ids first, then by letter).
""",
    refuse=refuse,
)
