"""Tables of a matched or weighted comparison: units, balance, effect, what could be wrong, what it withstands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import as_sentence, decimals_for, level_text, number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import listed
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import PairRules
from evalkit.design.matching.school_pupil_matching import SchoolPupilDesign
from evalkit.design.similar import SimilarUnits
from evalkit.diagnose.finding import Finding, released_finding
from evalkit.diagnose.matched.balance import CovariateBalance, MatchBalance, StratumBalance
from evalkit.diagnose.matched.oster import OsterDelta
from evalkit.diagnose.matched.robustness_value import Benchmark
from evalkit.diagnose.matched.rosenbaum import bounds_note
from evalkit.diagnose.matched.sensitivity import MatchSensitivity
from evalkit.estimate.matched.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import ReleasedTable, release, rests_on_few, told_where_typed
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, Kind, Table
from evalkit.report.tables.data import UNKNOWN, noted, plain

# Tables of a matched or weighted comparison: its units, their balance, the effect, and what could be wrong.

Unit = Literal["schools", "people"]


def match_units(balance: MatchBalance, unit: Unit = "schools") -> ReleasedTable:
    """Return how many units there are and are used, by arm; counts of people are released as such."""
    kind: Kind = "pupil_count" if unit == "people" else "school_count"
    columns = (
        Column("arm", "Arm"),
        Column("n_before", "Units", kind, is_total=True),
        Column("n_after", "Used", kind),
        Column("n_unused", "Not used", kind),
        Column("effective_n", "Worth, in equally weighted units", "number", derived_from="n_after"),
    )
    arms = (("Treated", balance.treated), ("Comparison", balance.comparison))
    rows = tuple(units_row(name, before.n, after.n, after.effective_n) for name, (before, after) in arms)
    return release(Table(caption="Units before and after", columns=columns, rows=rows), FEWEST_PEOPLE)


def units_row(arm: str, n: int, n_used: int, effective_n: float) -> tuple[Cell, ...]:
    """Return how many units of an arm there are, are used and are not; that none is unused is no count of people."""
    return arm, n, n_used, n - n_used or Unavailable("None."), effective_n


def match_balance_table(balance: MatchBalance) -> ReleasedTable:
    """Return each covariate before and after, what its differences are divided by, and the WWC's verdict."""
    columns = (
        Column("covariate", "Covariate"),
        Column("mean_treated", "Mean, treated", "estimate"),
        Column("mean_before", "Mean, comparison, before", "estimate"),
        Column("mean_after", "Mean, comparison, after", "estimate"),
        Column("denominator", "SMD divides by", "estimate"),
        Column("smd_before", "SMD before", "estimate"),
        Column("smd_after", "SMD after", "estimate"),
        Column("variance_ratio_after", "Variance ratio after", "number"),
        Column("ecdf_mean_after", "eCDF, mean, after", "estimate"),
        Column("ks_after", "eCDF, largest (KS), after", "estimate"),
        Column("pair_distance_after", "Distance within pairs, SDs", "estimate"),
        Column("wwc", "What Works Clearinghouse"),
    )
    rules = dict.fromkeys(row.denominator_rule for row in balance.rows)
    notes = (
        f"A standardised mean difference (SMD) divides by the {'; or the '.join(rules)}: the same before and after.",
        "No p-values are given: balance is a property of these units.",
    )
    rows = tuple(_row(row) for row in balance.rows)
    return release(Table(caption="Balance before and after", columns=columns, rows=rows, notes=notes), 0)


def _row(row: CovariateBalance) -> tuple[Cell, ...]:
    return (
        row.covariate.replace("_", " "),
        row.after.mean_treated,
        row.before.mean_comparison,
        row.after.mean_comparison,
        row.denominator,
        row.before.smd,
        row.after.smd,
        row.after.variance_ratio,
        row.after.ecdf_mean,
        row.after.ks,
        row.after.pair_distance,
        row.wwc.reason if isinstance(row.wwc, Unavailable) else str(row.wwc),
    )


def match_effects(effects: tuple[MatchedEffect | MatchingEstimate, ...]) -> ReleasedTable:
    """Return each effect with its error, interval and how they were made."""
    decimals = decimals_for(*(size for e in effects for size in (e.estimate.std_error, abs(e.estimate.value))))
    columns = (
        Column("method", "How it is estimated"),
        Column("estimate", "Estimate", "estimate", decimals=decimals),
        Column("std_error", "Standard error", "estimate", decimals=decimals),
        Column("interval", "Interval", "interval", decimals=decimals),
        Column("p", "p", "p"),
        Column("inference", "Errors"),
    )
    rows = tuple(
        (e.method, e.estimate.value, _cell(e.estimate.std_error), e.interval, e.estimate.p_value, e.inference)
        for e in effects
    )
    notes = tuple(dict.fromkeys(e.assumes for e in effects if not isinstance(e.estimate.std_error, Unavailable)))
    return release(Table(caption="The effect", columns=columns, rows=rows, notes=notes), 0)


def _cell(value: Quantity) -> Cell:
    return value


def match_findings_table(findings: tuple[Finding, ...], unit: Unit = "people") -> ReleasedTable:
    """Return each check with its verdict and sentence; small counts in it are withheld unless they are of schools."""
    if unit == "people":
        findings = tuple(released_finding(finding, FEWEST_PEOPLE) for finding in findings)
    columns = (Column("check", "Check"), Column("verdict", "Verdict"), Column("sentence", "What it says"))
    rows = tuple((f.name.replace("_", " "), str(f.verdict), str(f.sentence)) for f in findings)
    return release(Table(caption="What could be wrong", columns=columns, rows=rows), 0)


# Tables of what a matched comparison withstands of what was not measured.

_NO_PUPILS = 0
"""These tables hold no counts of pupils, so that there is nothing to hide."""


def sensitivity(found: MatchSensitivity, unit: Unit = "people") -> ReleasedTable:
    """Return one row for each measure of sensitivity: its number, and the sentence for a reader.

    Small counts in the sentences are withheld unless the units are schools.
    """
    fewest = FEWEST_PEOPLE if unit == "people" else 0
    columns = (
        Column("measure", "Measure"),
        Column("statistic", "Statistic", "number"),
        Column("sentence", "What it says"),
    )
    rows = tuple(
        (name, statistic, told_where_typed(sentence, fewest))
        for name, statistic, sentence in zip(_NAMES, _statistics(found), found.sentences, strict=True)
    )
    lacking = (
        (
            Sentence(
                "{n} of the design lack an outcome and are left out.", n=count(found.n_lacking, "units", "unit")
            ).written(fewest),
        )
        if found.n_lacking
        else ()
    )
    notes = (
        "No measure can show that nothing was left out; each says how strong it would have to be.",
        *((delta_note(found.selection),) if isinstance(found.selection, OsterDelta) else ()),
        *lacking,
    )
    return release(
        Table(caption="What the result withstands of what was not measured", columns=columns, rows=rows, notes=notes),
        _NO_PUPILS,
    )


def hidden_bias(found: MatchSensitivity) -> ReleasedTable:
    """Return bounds on the p-value and the effect by how strong a hidden bias within pairs is."""
    columns = (
        Column("gamma", "Odds of taking part differ by up to (times)", "number"),
        Column("p_lower", "p, at least", "p"),
        Column("p_upper", "p, at most", "p"),
        Column("effect_lower", "Effect, at least", "estimate"),
        Column("effect_upper", "Effect, at most", "estimate"),
    )
    bounds = found.hidden_bias
    if isinstance(bounds, Unavailable):
        rows: tuple[tuple[Cell, ...], ...] = (("None", bounds, bounds, bounds, bounds),)
        notes: tuple[str, ...] = ()
    else:
        rows = tuple((r.gamma, r.p_lower, r.p_upper, r.effect_lower, r.effect_upper) for r in bounds.rows)
        notes = (bounds.sentence, told_where_typed(bounds_note(bounds), FEWEST_PEOPLE))
    return release(
        Table(caption="Hidden bias between matched units", columns=columns, rows=rows, notes=notes), _NO_PUPILS
    )


def benchmarks(found: MatchSensitivity) -> ReleasedTable:
    """Return the effect that something not measured would leave, by the characteristic it is as strong as."""
    columns = (
        Column("covariate", "Characteristic"),
        Column("times", "Times as strong", "number"),
        Column("estimate", "Effect left", "estimate"),
        Column("interval", f"{level_text(found.level)} interval", "interval"),
    )
    value = found.robustness
    if isinstance(value, Unavailable):
        rows: tuple[tuple[Cell, ...], ...] = (("None", value, value, value),)
        notes: tuple[str, ...] = ()
    else:
        rows = tuple(
            (one.covariate, one.times, one.estimate, one.interval)
            if isinstance(one, Benchmark)
            else (one.covariate, one.times, one.reason, one.reason)
            for one in value.benchmarks
        )
        notes = (value.sentence, f"From a regression on {told_where_typed(found.regression_on, FEWEST_PEOPLE)}.")
    caption = "Effect left by something not measured that is as strong as what was"
    return release(Table(caption=caption, columns=columns, rows=rows, notes=notes), _NO_PUPILS)


_NAMES = (
    "Hidden bias within pairs (gamma)",
    "E-value",
    "Robustness value (share)",
    "Selection relative to what was measured (delta)",
)


def _statistics(found: MatchSensitivity) -> tuple[Cell, ...]:
    bias, e_value, value, selection = found.hidden_bias, found.e_value, found.robustness, found.selection
    return (
        bias if isinstance(bias, Unavailable) else bias.gamma_lost,
        e_value if isinstance(e_value, Unavailable) else e_value.point,
        value if isinstance(value, Unavailable) else value.value,
        selection.delta if isinstance(selection, OsterDelta) else selection,
    )


def delta_note(found: OsterDelta) -> str:
    """Return how the relative strength of selection was worked out, for the foot of a table."""
    simple = "" if isinstance(found.simple, Unavailable) else f" The simple approximation gives {number(found.simple)}."
    return f"R² with everything measured: {number(found.r2_most)}.{simple}"


# What a matched or weighted design is, before its balance is looked at.

_KINDS: Final = {
    "NearestNeighbour": "nearest-neighbour matching",
    "OptimalMatching": "optimal matching",
    "FullMatching": "full matching",
    "ExactMatching": "exact matching",
    "CoarsenedExact": "coarsened exact matching",
    "Subclassification": "subclassification",
    "ProfileMatching": "profile matching",
    "EntropyBalancing": "entropy balancing",
    "InverseProbability": "inverse-probability weighting",
    "CovariateBalancing": "covariate-balancing propensity scores",
}


def design_units(design: MatchedDesign, kind: Kind = "pupil_count") -> ReleasedTable:
    """Return how many units there are and are used, by arm."""
    columns = (
        Column("arm", "Arm"),
        Column("n_before", "Units", kind, is_total=True),
        Column("n_after", "Used", kind),
        Column("n_unused", "Not used", kind),
        Column("effective_n", "Worth, in equally weighted units", "number", derived_from="n_after", decimals=1),
    )
    n_treated = int(design.baseline.is_treated.sum())
    n_comparison = len(design.weights) - n_treated
    rows: tuple[tuple[Cell, ...], ...] = (
        units_row("Treated", n_treated, design.n_treated, design.effective_treated),
        units_row("Comparison", n_comparison, design.n_comparison, design.effective_comparison),
    )
    released = release(Table(caption="Who is compared with whom", columns=columns, rows=rows), FEWEST_PEOPLE)
    return released if released.table.rows == rows else noted(released, UNKNOWN)


def design_words(design: MatchedDesign) -> Prose:
    """Return how the comparison group was made, on what, what an effect would be of, and what a reader must know."""
    option = design.option
    how = _KINDS[type(option).__name__]
    if isinstance(option, PairRules):
        how += f", distance {option.distance}"
    covariates = [str(name) for name in design.baseline.covariates]
    total = design.total_distance
    return sentences(
        as_sentence(how),
        f"Compared on {listed(covariates, 12)}.",
        f"An effect would be the {design.estimand.label_of_units} ({design.estimand}).",
        "" if isinstance(total, Unavailable) else f"The sum of distances over pairs is {total:.6g}.",
        *(as_sentence(told_where_typed(note, FEWEST_PEOPLE)) for note in design.notes),
        "evalkit.match_balance shows how alike they are.",
    )


def schools_words(design: SchoolPupilDesign) -> Prose:
    """Return that schools were matched first, and how."""
    return Prose(("Schools:", *design_words(design.schools).sentences[:-1]))


def schools_units(design: SchoolPupilDesign) -> ReleasedTable:
    """Return how many schools there are and are used, by arm."""
    return design_units(design.schools, "school_count")


def pupils_words(design: SchoolPupilDesign) -> Prose:
    """Return that pupils were matched within the sets of schools, and how."""
    return Prose(("Pupils of these schools:", *design_words(design.pupils).sentences[:-1]))


def pupils_units(design: SchoolPupilDesign) -> ReleasedTable:
    """Return how many pupils there are and are used, by arm."""
    return design_units(design.pupils)


def effect_words(effect: MatchedEffect | MatchingEstimate) -> Prose:
    """Return whose average effect it is, what must hold, and what a reader must know."""
    return sentences(
        f"The {effect.estimand.label_of_units} ({effect.estimand}), if nothing that was not measured made treated and "
        "comparison units differ.",
        *map(as_sentence, effect.notes if isinstance(effect, MatchedEffect) else ()),
    )


def strata(found: Iterable[StratumBalance]) -> ReleasedTable:
    """Return each stratum's units by arm, and the standardised difference of each covariate within it."""
    columns = (
        Column("stratum", "Stratum"),
        Column("covariate", "Covariate"),
        Column("n_treated", "Treated", "pupil_count"),
        Column("n_comparison", "Comparison", "pupil_count"),
        Column("smd", "SMD", "estimate"),
    )
    rows = tuple(
        (str(one.stratum), name.replace("_", " "), one.n_treated, one.n_comparison, _of_enough(one, values.smd))
        for one in found
        for name, values in one.rows
    )
    released = release(Table(caption="Balance within strata", columns=columns, rows=rows), FEWEST_PEOPLE)
    return released if released.table.rows == rows else noted(released, UNKNOWN)


def _of_enough(one: StratumBalance, value: Quantity) -> Cell:
    """Return what is known of a stratum, unless an arm of it has too few people to be told of."""
    return value if min(one.n_treated, one.n_comparison) >= FEWEST_PEOPLE else rests_on_few(FEWEST_PEOPLE)


def similar_list(found: SimilarUnits) -> ReleasedTable:
    """Return the list of the first unit asked for, with how close each other unit is, in a word."""
    profiles = found.profiles
    own = profiles.units[int(found.asked[0])]
    named = () if profiles.names is None else (Column("name", "Name"),)
    columns = (Column("rank", "Rank"), Column("id", "Id"), *named, Column("closeness", "How close"))
    rows = [
        (
            str(one.rank),
            str(profiles.units[one.position]),
            *(() if profiles.names is None else (str(profiles.names.iloc[one.position]),)),
            one.closeness,
        )
        for one in found.of(own)
    ]
    more = len(found.asked) - 1
    notes = (
        f"One of {more + 1:,} lists; .pairs() has them all." if more else "",
        "evalkit.report.tables.similar.similar shows the characteristics, and withholds small counts of pupils.",
    )
    return plain(f"Most like {own}", columns, rows, notes)
