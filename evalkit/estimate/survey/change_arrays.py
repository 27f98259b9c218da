"""Change between two waves of a survey of people in schools: by school, with intervals, design effects and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LEVEL
from evalkit.core.quantities import Estimate, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.estimate.survey.reliability_arrays import FEWEST_SCHOOLS

FEW_SCHOOLS: Final = Unavailable(f"No interval: fewer than {FEWEST_SCHOOLS} schools.")
_NO_SPREAD: Final = Unavailable("Respondents do not differ, so that there is no design effect.")


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """Answers of one wave: a number for each respondent and the school he is in, 0 … S − 1, shape (n,) each."""

    values: Floats
    school: Ints

    def sizes(self, n_schools: int) -> Floats:
        """Return the respondents of each school, shape (S,)."""
        return np.bincount(self.school, minlength=n_schools).astype(float)

    def means(self, n_schools: int) -> Floats:
        """Return the mean of each school, shape (S,), NaN where nobody answered."""
        size = self.sizes(n_schools)
        with np.errstate(invalid="ignore"):
            return np.bincount(self.school, self.values, minlength=n_schools) / size

    def of(self, schools: Ints) -> Wave:
        """Return the respondents of some schools, which are then 0, 1, … in that order."""
        place = np.full(int(max(self.school.max(initial=-1), schools.max(initial=-1))) + 1, -1)
        place[schools] = np.arange(len(schools))
        keep = place[self.school] >= 0
        return Wave(self.values[keep], place[self.school[keep]])

    def within(self) -> float:
        """Return the variance within schools, pooled; 0 where no school has two respondents."""
        n_schools = int(self.school.max(initial=-1)) + 1
        size = self.sizes(n_schools)
        df = float((size[size > 0] - 1).sum())
        if not df > 0:
            return 0.0
        left = self.values - self.means(n_schools)[self.school]
        return float((left**2).sum()) / df


# The mean of one wave.


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveMean:
    """The mean of respondents in one wave, its error by schools, and what that error is beside independent answers."""

    mean: float
    std_error: Quantity
    interval: IntervalOrReason
    design_effect: Quantity
    n_effective: Quantity
    n: int
    n_schools: int


def wave_mean(wave: Wave, weights: Floats | None = None, level: float = LEVEL) -> WaveMean:
    """Return the (weighted) mean of respondents, with schools as clusters; `weights` have shape (n,).

    The error is the linearised one of a ratio, S/(S − 1)·Σ z² with z the sum of w·(y − mean)/Σw in a school; Student's
    t with S − 1 degrees of freedom. The design effect is its square over the variance of as many independent answers.
    """
    w = np.ones(len(wave.values)) if weights is None else weights
    schools, place = np.unique(wave.school, return_inverse=True)
    n, n_schools = len(wave.values), len(schools)
    mean = float((w * wave.values).sum() / w.sum())
    parts = np.bincount(place, w * (wave.values - mean) / w.sum(), minlength=n_schools)
    if n_schools < FEWEST_SCHOOLS:
        return WaveMean(
            mean=mean, std_error=FEW_SCHOOLS, interval=FEW_SCHOOLS, design_effect=FEW_SCHOOLS, n_effective=FEW_SCHOOLS,
            n=n, n_schools=n_schools,
        )  # fmt: skip
    variance = n_schools / (n_schools - 1) * float((parts**2).sum())
    alone = float((w * (wave.values - mean) ** 2).sum() / w.sum()) / (n - 1)
    deff: Quantity = variance / alone if alone > 0 else _NO_SPREAD
    error = float(np.sqrt(variance))
    return WaveMean(
        mean=mean,
        std_error=error,
        interval=Estimate(mean, error, n_schools - 1).interval(level),
        design_effect=deff,
        n_effective=_effective(n, deff),
        n=n,
        n_schools=n_schools,
    )


def _effective(n: int, deff: Quantity) -> Quantity:
    return deff if isinstance(deff, Unavailable) else n / deff if deff > 0 else _NO_SPREAD


# The change between two waves.


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change between two waves; it says what became otherwise, and nothing of why.

    Attributes
    ----------
    first, second : mean of the schools in each wave, each school counting one
    estimate : mean of the schools' own changes
    std_error, interval, df : by schools, with the correction for a finite number of them; none below six
    design_effect, n_effective : of the error without that correction, beside independent respondents
    n_schools, n_all : schools in both waves, and those that the change is to speak of (None: of many more)
    n_first, n_second : respondents of the schools in both waves
    by_respondents : the change of the mean of respondents, each counting one, with its error by schools
    """

    first: float
    second: float
    estimate: float
    std_error: Quantity
    interval: IntervalOrReason
    df: int
    design_effect: Quantity
    n_effective: Quantity
    n_schools: int
    n_all: int | None
    n_first: int
    n_second: int
    by_respondents: Estimate
    by_respondents_interval: IntervalOrReason


def change_between(first: Wave, second: Wave, n_all: int | None = None, level: float = LEVEL) -> Change | Unavailable:
    """Return the change of schools that are in both waves, other people answering each time.

    With d_s the difference of a school's two means, d̄ = Σ d_s/S and the error's square is
    (1 − f)·Σ(d_s − d̄)²/(S(S − 1)) + f·Σ v_s/S², f = S/S_all (Cochran, 1977, 10.3): where most schools are in, little
    is left of how schools differ, and what is left is that other people might have answered, v_s = s²₁/n₁ + s²₂/n₂ with
    the variances within schools. Student's t with S − 1 degrees of freedom.

    Raises nothing: without a school in both waves the reason stands in its place.
    """
    both = np.intersect1d(first.school, second.school)
    if not len(both):
        return Unavailable("No school is in both waves.")
    one, two = first.of(both), second.of(both)
    n = len(both)
    means, sizes = (one.means(n), two.means(n)), (one.sizes(n), two.sizes(n))
    noise = one.within() / sizes[0] + two.within() / sizes[1]
    alone = sum(_total(wave) / size for wave, size in zip((one, two), sizes, strict=True))
    return _change(
        means,
        (noise, np.asarray(alone)),
        (len(one.values), len(two.values)),
        _by_respondents(one, two),
        (n_all, level),
    )


def linked_change(
    before: Floats, after: Floats, school: Ints, n_all: int | None = None, level: float = LEVEL
) -> Change | Unavailable:
    """Return the change of the same people in both waves, shape (n,) each: as `change_between`, of own changes."""
    if not len(school):
        return Unavailable("Nobody answered in both waves.")
    schools, place = np.unique(school, return_inverse=True)
    own = Wave(after - before, place)
    n = len(schools)
    size = own.sizes(n)
    mean = float(own.values.mean())
    parts: Floats = np.bincount(place, (own.values - mean) / len(place), minlength=n).astype(float)
    return _change(
        (Wave(before, place).means(n), Wave(after, place).means(n)),
        (own.within() / size, _total(own) / size),
        (len(place), len(place)),
        (mean, parts),
        (n_all, level),
    )


def _total(wave: Wave) -> float:
    return float(wave.values.var(ddof=1)) if len(wave.values) > 1 else 0.0


def _by_respondents(one: Wave, two: Wave) -> tuple[float, Floats]:
    """Return the change of the mean of respondents, and what each school adds to its error."""
    n = int(max(one.school.max(), two.school.max())) + 1
    means = [float(wave.values.mean()) for wave in (one, two)]
    parts: list[Floats] = [
        np.bincount(wave.school, (wave.values - mean) / len(wave.values), minlength=n).astype(float)
        for wave, mean in zip((one, two), means, strict=True)
    ]
    return means[1] - means[0], parts[1] - parts[0]


def _change(
    means: tuple[Floats, Floats],
    variances: tuple[Floats, Floats],
    people: tuple[int, int],
    respondents: tuple[float, Floats],
    of: tuple[int | None, float],
) -> Change:
    """Return the change of schools' `means`; `variances` are those of each one's change, within and if independent."""
    own = means[1] - means[0]
    (n_all, level), n = of, len(own)
    estimate, (mean, parts) = float(own.mean()), respondents
    if n < FEWEST_SCHOOLS:
        error: Quantity = FEW_SCHOOLS
        deff: Quantity = FEW_SCHOOLS
        pooled = Estimate(mean, FEW_SCHOOLS)
    else:
        between = float(((own - estimate) ** 2).sum()) / (n * (n - 1))
        share = 0.0 if n_all is None else min(n / n_all, 1.0)
        error = float(np.sqrt((1 - share) * between + share * float(variances[0].sum()) / n**2))
        alone = float(variances[1].sum()) / n**2
        deff = between / alone if alone > 0 else _NO_SPREAD
        pooled = Estimate(mean, float(np.sqrt(n / (n - 1) * float((parts**2).sum()))), n - 1)
    return Change(
        first=float(means[0].mean()),
        second=float(means[1].mean()),
        estimate=estimate,
        std_error=error,
        interval=Estimate(estimate, error, n - 1).interval(level),
        df=n - 1,
        design_effect=deff,
        n_effective=_effective(sum(people), deff),
        n_schools=n,
        n_all=n_all,
        n_first=people[0],
        n_second=people[1],
        by_respondents=pooled,
        by_respondents_interval=pooled.interval(level),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeApart:
    """How far the changes of two groups of schools lie apart, the second taken from the first; no cause is in it."""

    estimate: float
    std_error: Quantity
    interval: IntervalOrReason
    df: Quantity


def change_apart(one: Floats, other: Floats, level: float = LEVEL) -> ChangeApart:
    """Return the mean of schools' own changes of one group less that of another, shape (S,) each.

    The error is √(s²/S + s'²/S'), Student's t with Welch's (1947) degrees of freedom; none below six schools in each.
    """
    estimate = float(one.mean() - other.mean())
    if min(len(one), len(other)) < FEWEST_SCHOOLS:
        return ChangeApart(estimate=estimate, std_error=FEW_SCHOOLS, interval=FEW_SCHOOLS, df=FEW_SCHOOLS)
    parts = [float(own.var(ddof=1)) / len(own) for own in (one, other)]
    if not sum(parts) > 0:
        none = Unavailable("No interval: no school changed otherwise than the others.")
        return ChangeApart(estimate=estimate, std_error=none, interval=none, df=none)
    error = float(np.sqrt(sum(parts)))
    df = sum(parts) ** 2 / sum(part**2 / (len(own) - 1) for part, own in zip(parts, (one, other), strict=True))
    return ChangeApart(
        estimate=estimate, std_error=error, interval=Estimate(estimate, error, df).interval(level), df=df
    )


# Schools in one wave only.


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWaveOnly:
    """Schools that answered in one wave only, beside those in both, and what they could do to the change.

    `first`, `second` are how many there are; `apart_first` is their mean less that of the schools in both waves, in
    the wave that they are in; `bounds` hold the change of all schools in either wave, whatever between the lowest and
    the highest point these had answered in the other one.
    """

    first: int
    second: int
    apart_first: Quantity
    apart_second: Quantity
    bounds: IntervalOrReason


def one_wave_only(first: Wave, second: Wave, span: tuple[float, float]) -> OneWaveOnly:
    """Return who is in one wave only, and bounds by the lowest and highest points of the scale, `span`."""
    n = int(max(first.school.max(initial=-1), second.school.max(initial=-1))) + 1
    means = first.means(n), second.means(n)
    seen = np.isfinite(means[0]), np.isfinite(means[1])
    both, only = seen[0] & seen[1], (seen[0] & ~seen[1], seen[1] & ~seen[0])
    apart: list[Quantity] = [
        Unavailable("There is none.")
        if not only[at].any() or not both.any()
        else float(means[at][only[at]].mean() - means[at][both].mean())
        for at in (0, 1)
    ]
    own = means[1][both] - means[0][both]
    low = np.concatenate([own, span[0] - means[0][only[0]], means[1][only[1]] - span[1]])
    high = np.concatenate([own, span[1] - means[0][only[0]], means[1][only[1]] - span[0]])
    bounds: IntervalOrReason = (
        Interval(float(low.mean()), float(high.mean())) if len(low) else Unavailable("No school answered.")
    )
    return OneWaveOnly(
        first=int(only[0].sum()),
        second=int(only[1].sum()),
        apart_first=apart[0],
        apart_second=apart[1],
        bounds=bounds,
    )
