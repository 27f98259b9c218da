"""Whether effects before the start are zero: tests that keep their level with many clusters and with few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.formats import p_equals
from evalkit.core.quantities import Estimate, Quantity, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.core.words import counted
from evalkit.estimate.effect import Inference
from evalkit.estimate.inversion_arrays import TIE, Reference
from evalkit.estimate.staggered.cells import REFERENCE, GroupTimeEffects
from evalkit.estimate.staggered.row_inference import Rows, exchange_reference, row_inference
from evalkit.estimate.staggered.summaries import Summary, event_study, single_cell

NOTHING_BEFORE = "No cohort has a period before its start that could be tested."
NO_PROOF = "A test before the start is no proof: it can miss trends that part, and says nothing of the periods after."
MISLEADING = 0.1
"""A test at 5% that rejects a true hypothesis this often, or more often, is said to mislead."""


PreTestKind = Literal["chi-squared", "F", "largest", "rank"]
PreTestOf = Literal["cell", "event time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTest:
    """A joint test that effects before the start are zero; not rejecting it is no proof of parallel trends.

    With many clusters Wald's, χ² with `df` degrees of freedom. With few the approximate Hotelling test, F with `df` and
    `df_denominator` (Tipton and Pustejovsky, 2015); where the clusters leave it no freedom the largest single effect,
    its p-value multiplied by their number; with one treated cluster the rank of the largest effect in its standard
    deviations. `lacking` are the effects (cohort, period) before the start that are not in it, as they have no standard
    error. `note` says where the clusters are too few for the number of effects, or is empty.
    """

    statistic: float
    df: int
    p_value: float
    lacking: tuple[tuple[int, int], ...] = ()
    note: str = ""
    kind: PreTestKind = "chi-squared"
    df_denominator: float | None = None
    of: PreTestOf = "cell"

    @property
    def sentence(self) -> str:
        """Return what was tested and what came out."""
        effects = "the effect before the start is" if self.df == 1 else f"all {self.df} effects before the start are"
        if self.of == "event time":
            mean = "the average effect over cohorts"
            before = "the event time" if self.df == 1 else f"each of {self.df} event times"
            effects = f"{mean} at {before} before the start is"
        freedom = counted(self.df, "degree", "degrees")
        shown = {
            "chi-squared": f"χ² = {self.statistic:.2f} with {freedom} of freedom",
            "F": f"F = {self.statistic:.2f} with {self.df} and {self.df_denominator or 0:.1f} degrees of freedom",
            "largest": f"largest |t| = {self.statistic:.2f}, adjusted for {counted(self.df, 'effect')}",
            "rank": f"largest effect {self.statistic:.2f} standard deviations of those of other clusters",
        }[self.kind]
        return f"Test that {effects} zero: {shown}, {p_equals(self.p_value)}."


def pre_test(effects: GroupTimeEffects, rows: Rows) -> PreTest | Unavailable:
    """Return the test that effects before the start, and before any anticipation, are zero.

    With many clusters behind each effect Wald's (`large_sample_pre_test`); with few, of the averages over cohorts at
    each event time, the approximate Hotelling test, the largest of them, or its rank.
    """
    before = _before_the_start(effects)
    single = {at: single_cell(effects, at) for at in before if effects.is_available[at]}
    if single and not all(rows.is_plain(one) for one in single.values()):
        return _with_few_clusters(rows)
    return large_sample_pre_test(effects)


def event_times_before(effects: GroupTimeEffects) -> list[Summary]:
    """Return the averages over cohorts at each event time before the start, and before any anticipation."""
    return [
        part
        for part in event_study(effects).parts
        if part.label is not None and part.label < -effects.design.anticipation and not _is_base(part)
    ]


def cells_before(effects: GroupTimeEffects) -> list[Summary]:
    """Return the single effects before the start that Wald's test is of: those with a standard error."""
    before = [at for at in _before_the_start(effects) if isinstance(_analytic_error(effects, at), float)]
    return [single_cell(effects, at) for at in before]


def covariance_of(rows: Rows, numbers: list[Summary], kind: PreTestKind) -> Floats:
    """Return the covariance of some numbers as a test of a kind takes it: plain for χ², else bias-reduced (CR2)."""
    effects, columns = rows.effects, np.column_stack([one.weights for one in numbers])
    combined = effects.influence.combined(columns)
    if kind == "chi-squared":
        plain: Floats = combined.T @ combined * effects.factor
        return plain
    return rows.model.covariance(combined, columns[: len(rows.given)].T @ rows.given) * effects.factor


def _before_the_start(effects: GroupTimeEffects) -> list[int]:
    """Return the positions of the cells that the test is of."""
    return [
        at
        for at, cell in enumerate(effects.cells)
        if cell.event_time < -effects.design.anticipation and not cell.is_reference
    ]


def large_sample_pre_test(effects: GroupTimeEffects) -> PreTest | Unavailable:
    """Return Wald's test W = v' V⁻¹ v of the q effects before the start, χ² with q degrees of freedom.

    As other programs print it, whatever the clusters: with few treated it rejects far too often.
    """
    cells, before = effects.cells, _before_the_start(effects)
    errors = {at: _analytic_error(effects, at) for at in before}
    tested = [at for at in before if isinstance(errors[at], float)]
    lacking = tuple((cells[at].cohort, cells[at].period) for at in before if at not in tested)
    if not tested:
        reasons = [error.reason for error in errors.values() if isinstance(error, Unavailable)]
        return Unavailable(f"No effect before the start can be tested. {reasons[0]}" if reasons else NOTHING_BEFORE)
    values, covariance = effects.values[tested], effects.covariance[np.ix_(tested, tested)]
    size = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(size, size)
    # A covariance from no more clusters than there are effects has no inverse.
    if effects.influence.n_clusters <= len(tested) or np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return Unavailable(
            f"{len(tested)} effects before the start are too many to be tested together with "
            f"{effects.influence.n_clusters} clusters, or depend on each other."
        )
    standard = values / size
    statistic = float(standard @ np.linalg.solve(correlation, standard))
    p_value = float(special.chdtrc(len(tested), statistic))
    note = _too_many(len(tested), effects)
    return PreTest(statistic=statistic, df=len(tested), p_value=p_value, lacking=lacking, note=note)


def _too_many(n_effects: int, effects: GroupTimeEffects) -> str:
    """Return what to think of the test where an estimated covariance makes it reject too often, else an empty text.

    With a covariance from n clusters W (n − q)/(q (n − 1)) is F with q and n − q degrees of freedom (Hotelling, 1931),
    not χ²; how often W passes the 5% point of χ² follows.
    """
    n, point = effects.influence.n_clusters, float(special.chdtri(n_effects, 0.05))
    share = float(special.fdtrc(n_effects, n - n_effects, point * (n - n_effects) / (n_effects * (n - 1))))
    if share < MISLEADING:
        return ""
    noun = "unit" if effects.design.cluster is None and effects.design.is_panel else "cluster"
    return (
        f"With {counted(n, noun)} and {counted(n_effects, 'effect')} the test rejects too often: at 5% in {share:.0%} "
        "or more of the samples in which all of them are zero. A small p-value is then no sign of different trends."
    )


def _analytic_error(effects: GroupTimeEffects, at: int) -> Quantity:
    """Return the standard error of one cell, or why there is none."""
    value = effects.cells[at].value
    if isinstance(value, Unavailable):
        return value
    estimate = single_cell(effects, at).estimate
    return estimate if isinstance(estimate, Unavailable) else estimate.std_error


def _with_few_clusters(rows: Rows) -> PreTest | Unavailable:
    """Return the test of the average effects at each time before the start, where some rest on few clusters.

    Averages over cohorts, as few clusters cannot tell many cells apart: with eight treated areas in two cohorts a test
    of five cells has next to no power, one of three event times has some. Cohorts that part in opposite directions
    may cancel, which the table of cells shows.
    """
    leads = event_times_before(rows.effects)
    found = [row_inference(rows, lead, 0.95) for lead in leads]
    has_error = [not isinstance(one.std_error, Unavailable) for one in found]
    has_p = [not isinstance(one.p_value, Unavailable) for one in found]
    is_tested = has_error if any(has_error) else has_p
    tested = [(lead, one) for lead, one, is_in in zip(leads, found, is_tested, strict=True) if is_in]
    if not tested:
        reasons = [one.p_value.reason for one in found if isinstance(one.p_value, Unavailable)]
        return Unavailable(f"No effect before the start can be tested. {reasons[0]}")
    left_out = (lead for lead, is_in in zip(leads, is_tested, strict=True) if not is_in)
    lacking = tuple(sorted({*_cells_of(rows, left_out), *(cell for lead in leads for cell in lead.lacking)}))
    if any(has_error):
        test = _hotelling(rows, [lead for lead, _ in tested]) or _largest(tested)
    else:
        test = _ranked(rows, [lead for lead, _ in tested], [one for _, one in tested])
    of: PreTestOf = "event time" if any(len(rows.cohorts_of(lead)) > 1 for lead, _ in tested) else "cell"
    return replace(test, lacking=lacking, of=of)


def _is_base(part: Summary) -> bool:
    """Return whether a part is a base period, zero by definition."""
    error = part.estimate.std_error if isinstance(part.estimate, Estimate) else part.estimate
    return isinstance(error, Unavailable) and error.reason == REFERENCE


def _cells_of(rows: Rows, leads: Iterable[Summary]) -> set[tuple[int, int]]:
    """Return the cells (cohort, period) that some averages are made of."""
    cells = rows.effects.cells
    return {(cells[at].cohort, cells[at].period) for lead in leads for at in rows.used(lead).tolist()}


def _hotelling(rows: Rows, tested: list[Summary]) -> PreTest | None:
    """Return the approximate Hotelling test, or None where the clusters leave it no freedom.

    F = (η − q + 1)/(ηq) v'V⁻¹v with q and η − q + 1 degrees of freedom, V the bias-reduced covariance (Tipton and
    Pustejovsky, 2015; for two arms Zhang, 2012). η comes from the working model (clusters alike, periods independent):
    with Ω_s what stratum s adds to the covariance, W_s = V^(−½) Ω_s V^(−½) and d_s its degrees of freedom,
    η = q(q + 1)/Σ_s (tr W_s² + (tr W_s)²)/d_s.
    """
    effects, model, q = rows.effects, rows.model, len(tested)
    columns = np.column_stack([lead.weights for lead in tested])
    given = columns[: len(rows.given)].T @ rows.given
    eta = _eta(rows, columns)
    if model.is_mixed:  # η takes the parts of such clusters for independent
        eta = min(eta, *(model.df(one) for one in given))
    freedom = eta - q + 1
    covariance = covariance_of(rows, tested, "F")
    size = np.sqrt(np.diagonal(covariance))
    if freedom < 1 or (size <= 0).any():
        return None
    correlation = covariance / np.outer(size, size)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return None
    standard = columns[: len(effects.values)].T @ effects.values / size
    statistic = freedom / (eta * q) * float(standard @ np.linalg.solve(correlation, standard))
    p_value = float(special.fdtrc(q, freedom, statistic))
    return PreTest(statistic=statistic, df=q, p_value=p_value, kind="F", df_denominator=freedom)


def _eta(rows: Rows, columns: Floats) -> float:
    """Return η of `_hotelling` from the periods and shares of clusters behind sums of cells, shape (n_columns, q)."""
    effects, model, q = rows.effects, rows.model, columns.shape[1]
    periods = effects.design.observations.periods
    change = np.zeros((len(effects.cells), len(periods)))
    for at, cell in enumerate(effects.cells):
        change[at, periods.index(cell.period)] += 1.0
        change[at, periods.index(cell.period if cell.base is None else cell.base)] -= 1.0
    given = np.einsum("cq,cs,cp->sqp", columns[: len(change)], rows.given, change)
    parts = [
        (term, by_period @ by_period.T * term.expected)
        for by_period, term in zip(given, model.terms, strict=True)
        if term is not None and by_period.any()
    ]
    values, vectors = np.linalg.eigh(sum((part for _, part in parts), np.zeros((q, q))))
    if not parts or values[0] <= 1e-12 * values[-1]:
        return 0.0
    root = vectors / np.sqrt(values) @ vectors.T
    squared = 0.0
    for term, part in parts:
        scaled = root @ part @ root
        freedom = term.expected**2 / term.spread
        squared += (float((scaled * scaled.T).sum()) + float(np.trace(scaled)) ** 2) / freedom
    return float(q * (q + 1) / squared)


def _largest(tested: list[tuple[Summary, Inference]]) -> PreTest:
    """Return the largest single effect in its error, its p-value multiplied by their number (Bonferroni)."""
    tests = [
        (one.p_value, abs(lead.estimate.value / one.std_error))
        for lead, one in tested
        if isinstance(one.p_value, float) and isinstance(one.std_error, float) and isinstance(lead.estimate, Estimate)
    ]
    p_value, statistic = min(tests)
    note = "Some of these effects rest on too few clusters to test all together; the largest is judged by itself."
    adjusted = min(1.0, p_value * len(tests))
    return PreTest(statistic=statistic, df=len(tests), p_value=adjusted, note=note, kind="largest")


def _ranked(rows: Rows, tested: list[Summary], found: list[Inference]) -> PreTest:
    """Return the rank of the largest effect, in its standard deviation over assignments, among all assignments.

    Cohorts that change places by themselves have no common assignments; their smallest p-value is multiplied by the
    number of effects instead.
    """
    known = [one for one in (exchange_reference(rows, summary) for summary in tested) if isinstance(one, Reference)]
    actual = max(abs(one.estimate) / one.scale for one in known)
    if len({rows.cohorts_of(summary) for summary in tested}) > 1:
        smallest = min(one.p_value for one in found if isinstance(one.p_value, float))
        note = "Each effect was ranked among assignments of its cohort's clusters; the most extreme is judged."
        p_value = min(1.0, smallest * len(known))
        return PreTest(statistic=actual, df=len(known), p_value=p_value, note=note, kind="rank")
    scaled = np.array([np.abs(one.first) / one.scale for one in known]).max(axis=0)
    p_value = float((scaled + TIE * scaled.max() >= actual * (1 - TIE)).mean())
    note = f"Ranked among {len(scaled):,} assignments of whole clusters, the actual one included."
    return PreTest(statistic=actual, df=len(known), p_value=p_value, note=note, kind="rank")
