"""How many clusters are treated, which inference that number supports, and which rejects less often than it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, floor
from typing import Final, Literal, Protocol

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.formats import decimals_for, level_text, number
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted
from evalkit.design.weights_arrays import effective_number, mean_variance

# How many clusters are treated, and which inference that number supports, decided before outcomes are read.

MANY = 29
"""From so many treated and comparison clusters, errors clustered by them hold their level."""

SOME = 3
"""From so many treated and comparison clusters, CR2 with Satterthwaite degrees of freedom does."""

STAND_INS = 40
"""From so many comparison clusters for each treated one, they can stand in for one or two treated ones."""

LEAST_DF = 2.0
"""With fewer degrees of freedom CR2 rests on one or two clusters, however many there are (Carter, Schnepel and
Steigerwald, 2017). Three equal treated clusters have 2.2, two have 1.1: the line of `SOME`, said of shares."""

PLAIN_DF = 19.0
"""From so many degrees of freedom of its own a number keeps the plain clustered error where the design has many
clusters; with 19 the normal quantile still covers 93%."""

UNSEEN = 0.1
"""A larger share of the variance that no deviation shows is too much for plain clustered errors: at 0.1 they reject
6.3% in place of 5%, 2Φ(−1.96 √0.9)."""

BEYOND = 2.0
"""Clusters cannot take the place of one whose size differs from all of theirs by more than this factor."""

FEWEST_ASSIGNMENTS = 20
"""With fewer ways of choosing the treated clusters no p-value can be as small as 0.05."""

OVER_TIME: Final = "that changes over time"
"""What those of one area must not share where changes are compared."""

AT_ALL: Final = "that moves the outcome"
"""What they must not share where outcomes of one time are compared."""

NAME_THE_AREA: Final = "If they lie in areas, name the area as the cluster (--cluster; in a project file `cluster`)."
NO_CLUSTER_HERE: Final = "If few areas are treated, compare means of schools with the area as the cluster instead."

_TAKEN: Final = {"unit": "units", "row": "people", "matched set": "matched sets"}
"""What is taken as independent where errors are clustered by this, and no area was named."""

InferenceMethod = Literal[
    "cluster-robust",
    "CR2 with Satterthwaite degrees of freedom",
    "wild cluster bootstrap",
    "randomisation inference",
    "Conley–Taber",
    "randomisation over sets",
    "unavailable",
]


CR2: Final[InferenceMethod] = "CR2 with Satterthwaite degrees of freedom"
OVER_SETS: Final[InferenceMethod] = "randomisation over sets"


@dataclass(frozen=True, slots=True)
class ClusterCounts:
    """The number of clusters in which treatment starts, and of those in which it does not."""

    n_treated: int
    n_comparison: int

    def __post_init__(self) -> None:
        if self.n_treated < 0 or self.n_comparison < 0:
            raise DesignError(f"Clusters are counted from 0; {self.n_treated} and {self.n_comparison} were given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """How unequally clusters carry an estimate: known from shares alone, before outcomes are read.

    `df` are Satterthwaite's degrees of freedom of CR2 under clusters alike, `effective_n` is 1/Σh² of the treated
    clusters' shares h, `largest_share` the largest of these. `is_alike` says whether treated clusters are of sizes that
    comparison clusters have, within a factor of two, so that these can take their places. `unseen` is the share of the
    variance that is in no cluster's deviation from the mean of its cohort, as it is alone in it.
    """

    df: float
    effective_n: float
    largest_share: float
    is_alike: bool = False
    unseen: float = 0.0

    @classmethod
    def of(cls, treated: Floats, comparison: Floats) -> Concentration:
        """Return the concentration of two arms' clusters, of positive weights `treated` and `comparison`."""
        shares = [weight / weight.sum() for weight in (treated, comparison) if len(weight) > 1]
        if len(treated) < 2:
            return cls(df=0.0, effective_n=float(len(treated)), largest_share=1.0)
        arms = [mean_variance(share) for share in shares]
        df = sum(arm.expected for arm in arms) ** 2 / sum(arm.spread for arm in arms)
        return cls(df=df, effective_n=effective_number(shares[0]), largest_share=float(shares[0].max()))

    @property
    def reason(self) -> str:
        """Return why so few clusters give no error that could be relied on."""
        return (
            f"The treated clusters' weights are worth {self.effective_n:.1f} equal clusters, and one of them holds "
            f"{self.largest_share:.0%} of the weight, so that their spread cannot be told from the data "
            f"({one_decimal_below(self.df)} degrees of freedom; {LEAST_DF:.0f} are needed). Weigh clusters more "
            "evenly, or add some."
        )


@dataclass(frozen=True, slots=True, repr=False)
class Recommendation(Shown):
    """The inference a design supports, and why, in a sentence for the report."""

    inference: InferenceMethod
    reason: str


def recommended_inference(
    counts: ClusterCounts, noun: str = "cluster", concentration: Concentration | None = None
) -> Recommendation:
    """Return the inference these numbers support, from the coverage table in docs/methods/few-clusters.md.

    The method is the simplest whose 95% intervals held the truth in about 93% of the table's samples or more, whether
    or not errors vary with size, and that can reject at all. Randomisation takes treated clusters to be like others.
    Where a few of many clusters carry most of the weight (`concentration`), they count as few: plain errors need as
    many degrees of freedom as clusters, and with fewer than two there is no inference.

    Examples
    --------
    >>> from evalkit import ClusterCounts, recommended_inference
    >>> recommended_inference(ClusterCounts(n_treated=40, n_comparison=60)).inference
    'cluster-robust'
    >>> recommended_inference(ClusterCounts(n_treated=1, n_comparison=149), noun="area").inference
    'Conley–Taber'
    >>> advice = recommended_inference(ClusterCounts(n_treated=1, n_comparison=5), noun="area")
    >>> advice.inference, advice.reason[:54]
    ('unavailable', 'With 1 treated area and 5 comparison areas there are 6')
    """
    fewer, total = min(counts.n_treated, counts.n_comparison), counts.n_treated + counts.n_comparison
    if fewer == 0:
        return Recommendation("unavailable", str(one_treated_cluster_reason(counts, noun)))
    if fewer >= SOME and concentration is not None and concentration.df < LEAST_DF:
        if concentration.is_alike:
            return Recommendation("randomisation inference", _places(counts, noun))
        return Recommendation("unavailable", concentration.reason)
    is_even = concentration is None or (concentration.df >= PLAIN_DF and concentration.unseen <= UNSEEN)
    if fewer >= MANY and is_even:
        return Recommendation("cluster-robust", _many(counts, noun))
    if fewer >= MANY:
        return Recommendation(CR2, _uneven(counts, noun, concentration))
    if fewer >= SOME:
        return Recommendation(CR2, _some(counts, noun))
    # few clusters: a test by exchange needs enough ways of choosing them before it can reject at all
    if comb(total, fewer) < FEWEST_ASSIGNMENTS:
        return Recommendation("unavailable", _too_few(counts, noun))
    if counts.n_treated < SOME and counts.n_comparison >= STAND_INS * counts.n_treated:
        return Recommendation("Conley–Taber", _stand_in(counts, noun))
    return Recommendation("randomisation inference", _places(counts, noun))


def _sides(counts: ClusterCounts, noun: str) -> str:
    return f"{counted(counts.n_treated, f'treated {noun}')} and {counted(counts.n_comparison, f'comparison {noun}')}"


def _clustered(noun: str) -> str:
    return "clustered errors" if noun == "cluster" else f"errors clustered by {noun}"


def _many(counts: ClusterCounts, noun: str) -> str:
    independent = f"if {noun}s are independent of each other"
    return f"With {_sides(counts, noun)}, {_clustered(noun)} hold their level, {independent}."


def _uneven(counts: ClusterCounts, noun: str, concentration: Concentration | None) -> str:
    worth = f"{concentration.effective_n:.1f}" if concentration else "fewer"
    if concentration and concentration.unseen > UNSEEN:
        return (
            f"With {_sides(counts, noun)}, of which some are alone in their cohort, ordinary clustered errors leave "
            f"{concentration.unseen:.0%} of the variance out; the bias-reduced errors (CR2) add it as that of other "
            f"{noun}s."
        )
    return (
        f"With {_sides(counts, noun)}, of which the treated are worth {worth} of equal weight, ordinary clustered "
        "errors are too small; the bias-reduced errors (CR2) with fewer degrees of freedom make up for that."
    )


def _some(counts: ClusterCounts, noun: str) -> str:
    side = "treated" if counts.n_treated <= counts.n_comparison else "comparison"
    return (
        f"With {_sides(counts, noun)}, ordinary clustered errors are too small, because few {noun}s are {side}; the "
        "bias-reduced errors (CR2) with fewer degrees of freedom make up for that."
    )


def _stand_in(counts: ClusterCounts, noun: str) -> str:
    return (
        f"With {_sides(counts, noun)}, {_clustered(noun)} do not hold their level; the {counts.n_comparison:,} "
        f"comparison {noun}s show instead how far one of them moves by itself, if the treated are like them but for "
        "their size."
    )


def _places(counts: ClusterCounts, noun: str) -> str:
    side = "treated" if counts.n_treated <= counts.n_comparison else "comparison"
    return (
        f"With {_sides(counts, noun)}, too few {noun}s are {side} for clustered errors; the effect is compared with "
        f"those that arise when other {noun}s take the {side} ones' places, fair if any could have been {side}."
    )


def _too_few(counts: ClusterCounts, noun: str) -> str:
    n = comb(counts.n_treated + counts.n_comparison, min(counts.n_treated, counts.n_comparison))
    return (
        f"With {_sides(counts, noun)} there are {n} ways of choosing who is treated, so that even the most extreme "
        f"result has a p-value of {1 / n:.2f}: no method can tell an effect from chance at the 5% level. Add {noun}s."
    )


# Why clusters give no error, and what one takes for granted.


def independence(noun: str, shared: str = OVER_TIME, remedy: str = NAME_THE_AREA) -> str:
    """Return what errors without a named cluster assume of `noun` (a plural), and what to do where it does not hold."""
    return f"This takes {noun} of one area to share nothing {shared}. {remedy}"


def independence_by(clustered_by: str, shared: str = OVER_TIME) -> str:
    """Return what errors assume that are clustered by the "unit", "row", "matched set", or by a "cluster" named."""
    if clustered_by not in _TAKEN:
        return f"This takes clusters to share nothing {shared}."
    return independence(_TAKEN[clustered_by], shared)


def too_concentrated(df: float) -> str:
    """Return why an error with fewer than `LEAST_DF` degrees of freedom is not given."""
    return (
        f"The degrees of freedom that the clusters leave ({one_decimal_below(df)}) are fewer than {LEAST_DF:.0f}: "
        "too few of them carry the effect, or too unequally, for an error that could be relied on."
    )


def one_decimal_below(df: float) -> str:
    """Return degrees of freedom with one decimal, never rounded up to a limit that they miss.

    >>> one_decimal_below(1.96)
    '1.9'
    """
    return f"{floor(10 * df) / 10:.1f}"


def one_treated_cluster_reason(counts: ClusterCounts, noun: str = "cluster") -> str | None:
    """Return why clusters give no error where one of them, or none, is treated or to compare with; else None.

    Every error computed from clusters needs this: with one treated cluster its residuals sum to zero by construction,
    so that the one term that carries the effect's uncertainty is lost. Cluster-robust errors, CR2 among them, then
    come out far too small (MacKinnon and Webb, 2017), and the wild bootstrap says next to nothing.
    """
    for n, side in ((counts.n_treated, "treated"), (counts.n_comparison, "comparison")):
        if n == 0:
            return f"There is no {side} {noun}, so that there is nothing to compare."
        if n == 1:
            return (
                f"Only one {noun} is {side}: how much such a {noun} varies by itself cannot be seen from one, and "
                f"{_clustered(noun)} would be far too small."
            )
    return None


def guarded(counts: ClusterCounts, std_error: float, noun: str = "cluster") -> float | Unavailable:
    """Return a standard error from clusters, or the reason why these clusters give none."""
    reason = one_treated_cluster_reason(counts, noun)
    return Unavailable(reason) if reason else std_error


# Which inference rejects less often than its level says, by arithmetic alone, and the sentence that says so.

SLIM_DF: Final = 3.0
"""With fewer degrees of freedom (three equal treated clusters have 2.2) CR2 covers 97% and more in simulation
(docs/methods/few-clusters.md)."""

SMALL_SIZE: Final = 0.6
"""A test whose size is under this share of its level (3% at 5%) is said to be conservative."""


def rank_size(n_ranked: int, level: float) -> float:
    """Return the size of a test by rank among J results, the actual one among them: ⌊αJ⌋/J.

    >>> [round(rank_size(n, 0.95), 3) for n in (149, 40, 39, 22, 19)]
    [0.047, 0.05, 0.026, 0.045, 0.0]
    """
    # (1 − 0.9) × 10 is 0.9999999999999998: without the margin floor would miss the whole number
    return floor((1 - level) * n_ranked + 1e-9) / n_ranked


def is_conservative(level: float, df: float | None = None, n_ranked: int | None = None) -> bool:
    """Return whether inference at `level` rejects too seldom by arithmetic: by its rank or its degrees of freedom."""
    if n_ranked is not None:
        return rank_size(n_ranked, level) < SMALL_SIZE * (1 - level)
    return df is not None and df < SLIM_DF


def half_length(interval: Interval) -> float:
    """Return half the length of an interval."""
    return (interval.upper - interval.lower) / 2


def conservative_sentence(
    interval: IntervalOrReason, level: float, df: float | None = None, n_ranked: int | None = None
) -> str:
    """Return that inference is conservative, why, and the half-length of its interval; an empty text where it is not.

    Without an interval there is nothing whose length could be read, and the reason for that stands in its place.
    """
    if not isinstance(interval, Interval) or not is_conservative(level, df, n_ranked):
        return ""
    why = f"{df:.1f} degrees of freedom" if n_ranked is None else f"{n_ranked:,} results to rank"
    half = half_length(interval)
    return (
        f"This is conservative: with {why} an effect of nothing is called one in fewer than "
        f"{level_text(SMALL_SIZE * (1 - level))} of cases. The half-length of its {level_text(level)} interval is "
        f"{_size(half, half)}."
    )


class Inferred(Protocol):
    """Anything with an interval and what its inference rests on."""

    @property
    def interval(self) -> IntervalOrReason:
        """Return the interval, or why there is none."""

    @property
    def df(self) -> float | None:
        """Return the degrees of freedom, None where no Student's t is used."""

    @property
    def n_ranked(self) -> int | None:
        """Return among how many results it was ranked, None where it was not."""


def conservative_rows(rows: Sequence[Inferred]) -> str:
    """Return how many of some rows' intervals are conservative by arithmetic, with half-lengths; an empty text if none.

    Rows without an interval are not counted.
    """
    known = [(row, row.interval) for row in rows if isinstance(row.interval, Interval)]
    half_lengths = [
        half_length(interval) for row, interval in known if is_conservative(interval.level, row.df, row.n_ranked)
    ]
    if not half_lengths:
        return ""
    least, most = _size(min(half_lengths), max(half_lengths)), _size(max(half_lengths), max(half_lengths))
    half = f"half-length {least}" if least == most else f"half-lengths {least} to {most}"
    return (
        f"{len(half_lengths)} of {len(known)} intervals are conservative ({half}): they hold the truth more often than "
        "said."
    )


def _size(half: float, of: float) -> str:
    """Return a half-length with the decimals that suit `of`."""
    decimals = decimals_for(of)
    return f"{half:.3g}" if decimals is None else number(half, decimals)
