"""Regression to the mean: were the treated chosen on a passing low (or high), which returns by itself?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DataError
from evalkit.core.formats import p_equals, visible
from evalkit.core.sentence import Derived, Sentence, count
from evalkit.data.baseline import is_category
from evalkit.design.matching.matched import MatchedDesign
from evalkit.diagnose.finding import Finding, FindingKind, Verdict, not_assessable

NAME: Final = "regression_to_the_mean"
LEVEL: Final = 0.05
"""The level of the test of a dip: how often selection at random is called a caution."""
LARGE_REGAIN: Final = 0.1
"""Standard deviations of the last score from which an expected regain is serious."""
_SEEN: Final = 2.8
"""Standard errors that a dip must be to be seen four times in five at the 5% level."""


@dataclass(frozen=True, slots=True)
class EarlierScores:
    """What earlier scores say of the treated against all comparison units, the pool.

    `gap` is the difference at the last earlier period and `dip` how much larger it is than before (None with one
    period); `back` the pool's line from the last score to a later one and `to_outcome` whether that is the outcome;
    `gained` the treated units' gain from the last score to the outcome less the pool's; `deviation` the SD of the
    last score in the pool.
    """

    gap: Difference
    dip: Difference | None
    back: ReturnLine | None
    to_outcome: bool
    gained: float | None
    deviation: float
    n_matched: int

    @property
    def regain(self) -> float | None:
        """Return (slope − 1) × gap: by how much more such a unit gains than the pool does, on its own."""
        return None if self.back is None else (self.back.slope - 1) * self.gap.value

    @property
    def regain_error(self) -> float:
        """Return the standard error of `regain`, from those of the slope and of the gap."""
        if self.back is None:
            return 0.0
        return math.hypot((1 - self.back.slope) * self.gap.std_error, self.gap.value * self.back.slope_error)


def regression_to_mean(design: MatchedDesign, earlier: Floats, outcome: Floats | None) -> Finding:
    """Say whether the treated were chosen on a passing low or high, and what they would regain without a programme.

    The dip is by how much further the treated stood from the pool of all comparison units at the last earlier
    period than before: a lasting difference leaves none, selection on the last score does. A unit of the pool with
    the same last score regains (1 − slope) × gap on its own, by the regression of the outcome on the last score in
    the pool (Galton, 1886; Barnett, van der Pols and Dobson, 2005).

    Parameters
    ----------
    design : MatchedDesign
    earlier : shape (n_units, n_periods)
        The outcome before the programme, oldest first; NaN where not known.
    outcome : shape (n_units,), or None
        The outcome after it; without one the way from the last score but one to the last stands for it.

    Returns
    -------
    Finding
        Its statistic is the expected regain in points of the outcome.

    Raises
    ------
    DataError
        Where the shapes do not fit the design's units, or no earlier period is given.

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.NearestNeighbour())
    >>> import numpy as np
    >>> earlier = np.column_stack([later - 2, schools["before"] - schools["school"] % 2])
    >>> finding = evalkit.regression_to_mean(design, earlier, later.to_numpy())
    >>> str(finding.verdict)
    'caution'
    """
    n = len(design.weights)
    if earlier.ndim != 2 or len(earlier) != n or not earlier.shape[1] or (outcome is not None and len(outcome) != n):
        raise DataError(f"Earlier scores need one row for each of the {n:,} units and one column for each period.")
    known: Bools = np.asarray(np.isfinite(earlier).all(axis=1))
    is_treated = design.baseline.is_treated
    fewest = int(min(np.count_nonzero(known & is_treated), np.count_nonzero(known & ~is_treated)))
    if fewest < 2:
        return not_assessable(NAME, "Earlier scores are known for fewer than two units of an arm.")
    evidence = _evidence(design, earlier, outcome, known)
    if evidence.regain is None:
        reason = "The last earlier score does not vary among comparison units" if earlier.shape[1] > 1 else _ONE_SCORE
        return not_assessable(NAME, f"{reason}, so that how much of it returns cannot be said.")
    words = Derived(_sentence(evidence, evidence.regain), count(fewest), "It rests on too few people to be told.")
    sentence, p = Sentence("{words}", words=words), (evidence.dip or evidence.gap).p_value
    return Finding(NAME, _verdict(evidence), evidence.regain, sentence, FindingKind.FALSIFICATION, p)


_ONE_SCORE: Final = "There is one earlier score and no outcome, or the score does not vary among comparison units"


def _evidence(design: MatchedDesign, earlier: Floats, outcome: Floats | None, known: Bools) -> EarlierScores:
    is_treated = design.baseline.is_treated
    treated, pool = known & is_treated, known & ~is_treated
    last = earlier[:, -1]
    change = last - earlier[:, :-1].mean(axis=1) if earlier.shape[1] > 1 else None
    later = known if outcome is None else known & np.isfinite(outcome)
    back, gained = None, None
    if outcome is not None:
        back = line(last[later & pool], outcome[later & pool])
        gain = outcome - last
        if (later & treated).any() and (later & pool).any():
            gained = float(gain[later & treated].mean() - gain[later & pool].mean())
    elif earlier.shape[1] > 1:
        back = line(earlier[pool, -2], last[pool])
    return EarlierScores(
        gap=difference(last[treated], last[pool]),
        dip=None if change is None else difference(change[treated], change[pool]),
        back=back,
        to_outcome=outcome is not None,
        gained=gained,
        deviation=float(last[pool].std(ddof=1)),
        n_matched=_matched_scores(design, earlier),
    )


def _matched_scores(design: MatchedDesign, earlier: Floats) -> int:
    """Return how many of the earlier scores are among the covariates that the design was made on."""
    frame = design.baseline.covariates
    numbers = [frame[name].to_numpy(dtype=float) for name in frame if not is_category(frame[name])]
    return sum(any(np.array_equal(score, values) for values in numbers) for score in earlier.T)


def _verdict(evidence: EarlierScores) -> Verdict:
    """Judge by the dip; with one earlier period, by the gap, which may then be lasting or passing."""
    sign = evidence.dip or evidence.gap
    if sign.p_value >= LEVEL:
        return Verdict.REASSURING
    is_large = abs(evidence.regain or 0.0) >= LARGE_REGAIN * evidence.deviation
    is_taken_up = evidence.n_matched > 1 or evidence.dip is None
    return Verdict.SERIOUS if is_large and not is_taken_up else Verdict.CAUTION


def _sentence(evidence: EarlierScores, regain: float) -> str:
    gap, side = evidence.gap.value, "lower" if evidence.gap.value < 0 else "higher"
    parts = [
        f"At the last score before the programme the treated stood {visible(abs(gap))} points {side} than all "
        f"comparison units{_dip_words(evidence)}.",
        _regain_words(evidence, regain),
    ]
    is_lasting = evidence.dip is not None and evidence.dip.p_value >= LEVEL
    if is_lasting and evidence.gap.p_value < LEVEL:
        parts.append(_LASTING)
    elif evidence.gained is not None:
        parts.append(
            f"The treated did gain {visible(evidence.gained)} points on the others since their last score; "
            f"{visible(regain)} of them are what such a score alone would have led one to expect."
        )
    parts.append(_MATCHED_WORDS[min(evidence.n_matched, 2)])
    return " ".join(parts)


def _dip_words(evidence: EarlierScores) -> str:
    dip = evidence.dip
    if dip is None:
        return "; with one earlier score a passing difference cannot be told from a lasting one"
    error = f"(standard error {visible(dip.std_error)}, {p_equals(dip.p_value)})"
    if dip.p_value >= LEVEL:
        return (
            f"; against the scores before it this difference moved by {visible(dip.value)} points {error}, which is "
            f"no sign of selection on a passing low or high, though one of less than {visible(_SEEN * dip.std_error)} "
            "points would often be missed"
        )
    word = "dip" if dip.value < 0 else "peak"
    return f", {visible(abs(dip.value))} points {_further(evidence)} than before {error}: a {word} that may pass"


def _further(evidence: EarlierScores) -> str:
    assert evidence.dip is not None
    return "lower" if evidence.dip.value < 0 else "higher"


def _regain_words(evidence: EarlierScores, regain: float) -> str:
    until = "by the time of the outcome" if evidence.to_outcome else "by one score to the next"
    more = "more" if regain >= 0 else "less"
    return (
        f"A comparison unit with such a last score gains {visible(abs(regain))} points {more} than the average one "
        f"{until} (standard error {visible(evidence.regain_error)}), without any programme."
    )


_LASTING: Final = (
    "The treated would not share in this if their difference is a lasting one, as it looks; comparison units matched "
    "to them on the last score alone would."
)
_MATCHED_WORDS: Final = (
    "The design did not match on earlier scores, so that this stays in any gain counted from the last one.",
    "The design matched on one earlier score only: comparison units that share it were partly low or high by chance "
    "as well, and go back to a level of their own. Match on several earlier scores.",
    "The design matched on several earlier scores, which takes up most of it: compare outcomes with those of the "
    "matched units, not with the last score.",
)


# What units with a low score regain by themselves: the arithmetic of regression to the mean.


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two independent means, with its standard error and Welch's degrees of freedom."""

    value: float
    std_error: float
    df: float

    @property
    def p_value(self) -> float:
        """Return the two-sided p-value of no difference: 1 where nothing varies and nothing differs."""
        from evalkit.core.scipy_parts import special

        if self.std_error == 0:
            return 0.0 if self.value else 1.0
        return float(2 * special.stdtr(self.df, -abs(self.value) / self.std_error))


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """A least-squares line with the standard error of its slope."""

    slope: float
    slope_error: float


def difference(treated: Floats, pool: Floats) -> Difference:
    """Return mean(treated) − mean(pool) with √(s1²/n1 + s0²/n0), for two or more units in each (Welch, 1947)."""
    parts = [float(values.var(ddof=1)) / len(values) for values in (treated, pool)]
    total = sum(parts)
    spread = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (treated, pool), strict=True))
    df = total**2 / spread if spread > 0 else float(len(treated) + len(pool) - 2)
    return Difference(float(treated.mean() - pool.mean()), math.sqrt(total), df)


def line(first: Floats, later: Floats) -> ReturnLine | None:
    """Return the least-squares line of `later` on `first`, shape (n,) each; None where it cannot be drawn."""
    if len(first) < 3:
        return None
    centred = first - first.mean()
    squares = float(centred @ centred)
    if squares <= 1e-12 * max(float(np.abs(first).max()), 1e-300) ** 2 * len(first):
        return None
    slope = float(centred @ later) / squares
    rest = later - later.mean() - slope * centred
    return ReturnLine(slope, math.sqrt(float(rest @ rest) / (len(first) - 2) / squares))
