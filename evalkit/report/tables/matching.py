"""Tables of a matched or weighted comparison: its units, their balance, the effect, and what could be wrong."""

from __future__ import annotations

from typing import Literal

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import decimals_for
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.diagnose.covariate_balance import CovariateBalance, MatchBalance
from evalkit.diagnose.finding import Finding, released_finding
from evalkit.estimate.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched_effect import MatchedEffect
from evalkit.report.disclosure import ReleasedTable, release
from evalkit.report.table import Cell, Column, Kind, Table

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
