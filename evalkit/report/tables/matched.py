"""Tables of a matched or weighted comparison: units, balance, effect, what could be wrong, what it withstands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import decimals_for, level_text, number, visible
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.school_pupil_matching import SchoolPupilDesign
from evalkit.diagnose.finding import Finding, released_finding
from evalkit.diagnose.matched.balance import CovariateBalance, MatchBalance, StratumBalance
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.diagnose.matched.oster import OsterDelta
from evalkit.diagnose.matched.robustness_value import Benchmark
from evalkit.diagnose.matched.rosenbaum import bounds_note
from evalkit.diagnose.matched.sensitivity import MatchSensitivity
from evalkit.estimate.matched.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched.after_matching import AFTER_NAMES, AfterMatching
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import ReleasedTable, release, rests_on_few, told_where_typed
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, Kind, Table
from evalkit.report.tables.data import UNKNOWN, noted
from evalkit.report.words.matched import UNLESS_HIDDEN, design_sentences, effect_notes

# Tables of a matched or weighted comparison: its units, their balance, the effect, and what could be wrong.

Unit = Literal["schools", "people"]


def match_units(balance: MatchBalance, unit: Unit = "schools") -> ReleasedTable:
    """Return how many units there are and are used, by arm; counts of people are released as such."""
    arms = (("Treated", balance.treated), ("Comparison", balance.comparison))
    rows = tuple(_units_row(name, before.n, after.n, after.effective_n) for name, (before, after) in arms)
    return _units("Units before and after", rows, "pupil_count" if unit == "people" else "school_count")


def _units(caption: str, rows: tuple[tuple[Cell, ...], ...], kind: Kind) -> ReleasedTable:
    columns = (
        Column("arm", "Arm"),
        Column("n_before", "Units", kind, is_total=True),
        Column("n_after", "Used", kind),
        Column("n_unused", "Not used", kind),
        Column("effective_n", "Worth, in equally weighted units", "number", derived_from="n_after", decimals=1),
    )
    return release(Table(caption=caption, columns=columns, rows=rows), FEWEST_PEOPLE)


def _units_row(arm: str, n: int, n_used: int, effective_n: float) -> tuple[Cell, ...]:
    """Return how many units of an arm there are, are used and are not; that none is unused is no count of people."""
    return arm, n, n_used, n - n_used or Unavailable("All are used."), effective_n


def match_means(balance: MatchBalance) -> ReleasedTable:
    """Return the means of each covariate by arm, and what differences between them are divided by."""
    spreads = [decimals_for(row.denominator) for row in balance.rows if not isinstance(row.denominator, Unavailable)]
    decimals = max((spread for spread in spreads if spread is not None), default=None)
    columns = (
        Column("covariate", "Covariate"),
        Column("mean_treated", "Mean, treated", "estimate", decimals=decimals),
        Column("mean_before", "Mean, comparison, before", "estimate", decimals=decimals),
        Column("mean_after", "Mean, comparison, after", "estimate", decimals=decimals),
        Column("denominator", "SMD divides by", "estimate", decimals=decimals),
    )
    rows = tuple(
        (
            row.covariate.replace("_", " "),
            row.after.mean_treated,
            row.before.mean_comparison,
            row.after.mean_comparison,
            row.denominator,
        )
        for row in balance.rows
    )
    rules = dict.fromkeys(row.denominator_rule for row in balance.rows)
    note = f"A standardised mean difference (SMD) divides by the {'; or the '.join(rules)}: the same before and after."
    table = Table(caption="Means before and after", columns=columns, rows=rows, notes=(note,))
    return release(replace(table, dominated=_dominated(balance)), 0)


def _dominated(balance: MatchBalance) -> tuple[int, ...]:
    return tuple(at for at, row in enumerate(balance.rows) if row.is_dominated)


def match_balance_table(balance: MatchBalance) -> ReleasedTable:
    """Return how far the arms differ in each covariate before and after, and the WWC's verdict."""
    columns = (
        Column("covariate", "Covariate"),
        Column("smd_before", "SMD before", "estimate", decimals=_OF_BALANCE),
        Column("smd_after", "SMD after", "estimate", decimals=_OF_BALANCE),
        Column("variance_ratio_after", "Variance ratio after", "number", decimals=_OF_BALANCE),
        Column("ecdf_mean_after", "eCDF, mean, after", "estimate", decimals=_OF_BALANCE),
        Column("ks_after", "eCDF, largest (KS), after", "estimate", decimals=_OF_BALANCE),
        Column("pair_distance_after", "Distance within pairs, SDs", "estimate", decimals=_OF_BALANCE),
        Column("wwc", "What Works Clearinghouse"),
    )
    notes = (
        f"A standardised mean difference (SMD) of up to {SATISFIED} needs nothing, of up to {ADJUSTABLE} adjustment; "
        "more is too far apart (What Works Clearinghouse).",
        "No p-values are given: balance is a property of these units.",
    )
    rows = tuple(_balance_row(row) for row in balance.rows)
    table = Table(caption="Balance before and after", columns=columns, rows=rows, notes=notes)
    return release(replace(table, dominated=_dominated(balance)), 0)


_OF_BALANCE: Final = 3
"""Decimals of standardised differences, whose thresholds have two."""


def _balance_row(row: CovariateBalance) -> tuple[Cell, ...]:
    return (
        row.covariate.replace("_", " "),
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
    is_tiny = decimals is None
    columns = (
        Column("method", "How it is estimated"),
        Column("estimate", "Estimate", "estimate", decimals=decimals, is_in_powers=is_tiny),
        Column("std_error", "Standard error", "estimate", decimals=decimals, is_in_powers=is_tiny),
        Column(
            "interval", f"{level_text(effects[0].level)} interval", "interval", decimals=decimals, is_in_powers=is_tiny
        ),
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
        rows: tuple[tuple[Cell, ...], ...] = (("Nothing", bounds, bounds, bounds, bounds),)
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
        rows: tuple[tuple[Cell, ...], ...] = (("Nothing", value, value, value),)
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
    """Return the number of each measure; the sentence beside it says why there is none."""
    bias, e_value, value, selection = found.hidden_bias, found.e_value, found.robustness, found.selection
    numbers = (
        bias if isinstance(bias, Unavailable) else bias.gamma_lost,
        e_value if isinstance(e_value, Unavailable) else e_value.point,
        value if isinstance(value, Unavailable) else value.value,
        selection.delta if isinstance(selection, OsterDelta) else selection,
    )
    return tuple(Unavailable("See beside.") if isinstance(number, Unavailable) else number for number in numbers)


def delta_note(found: OsterDelta) -> str:
    """Return how the relative strength of selection was worked out, for the foot of a table."""
    simple = "" if isinstance(found.simple, Unavailable) else f" The simple approximation gives {number(found.simple)}."
    return f"R² with everything measured: {number(found.r2_most)}.{simple}"


# What a matched or weighted design is, before its balance is looked at.


def design_units(design: MatchedDesign, kind: Kind = "pupil_count") -> ReleasedTable:
    """Return how many units there are and are used, by arm."""
    n_treated = int(design.baseline.is_treated.sum())
    n_comparison = len(design.weights) - n_treated
    rows = (
        _units_row("Treated", n_treated, design.n_treated, design.effective_treated),
        _units_row("Comparison", n_comparison, design.n_comparison, design.effective_comparison),
    )
    released = _units("Who is compared with whom", rows, kind)
    return released if released.table.rows == rows else noted(released, UNKNOWN)


def design_words(design: MatchedDesign) -> Prose:
    """Return how the comparison group was made, on what, what an effect would be of, and what a reader must know."""
    return sentences(*design_sentences(design, FEWEST_PEOPLE), "evalkit.match_balance shows how alike they are.")


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
        f"The {effect.estimand.label_of_units} ({effect.estimand}), {UNLESS_HIDDEN}.", *effect_notes(effect)
    )


def after_estimates(found: AfterMatching) -> ReleasedTable:
    """Return change, analysis of covariance and difference after matching, the one asked for first."""
    names = sorted(AFTER_NAMES, key=lambda name: name != found.asked)
    return match_effects(tuple(one for name in names if not isinstance(one := found.of(name), Unavailable)))


def after_words(found: AfterMatching) -> Prose:
    """Return between which estimates the effect lies where the treated were chosen on low scores, or why not."""
    bracket = found.bracket
    lacking = [one.reason for name in AFTER_NAMES if isinstance(one := found.of(name), Unavailable)]
    if isinstance(bracket, Unavailable):
        return sentences(*dict.fromkeys([*lacking, bracket.reason]))
    return sentences(
        f"Where the treated were chosen on low scores, the effect lies between change and analysis of covariance: "
        f"between {visible(bracket.lower)} and {visible(bracket.upper)} (Ding and Li, 2019)."
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
