"""Falsification tests: statistics that a programme does not move, ranked among all areas analysed the same way.

Of listed schools the statistics are of sets drawn in other areas, each area's sets together weighing as one area.

Each test's statistic is in points of its outcome and is computed for every area as for the treated one. How the
effect itself came out is in none but the placebo outcome's, and there only as far as a programme moves both outcomes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.project import labels
from evalkit.diagnose.finding import CheckPower, Verdict
from evalkit.diagnose.project.listed_tests import INFLUENCE, LEAD, LISTS, PLACEBO, START, ListedStatistics
from evalkit.diagnose.project.results import ONE_YEAR, Results
from evalkit.estimate.areas.area_effects import AreaEffects, effects_by_area, influence_by_area
from evalkit.estimate.areas.changes_arrays import TIE
from evalkit.estimate.areas.sample import changes_to, changes_to_last_before
from evalkit.estimate.effect import MAIN

FEWEST_AREAS: Final = 20
"""With fewer areas, the treated one counted, no rank reaches 5%, and no test is assessed."""
SERIOUS: Final = 0.05
CAUTION: Final = 0.20
"""A test is serious up to the first p-value and a caution up to the second: 4.7% and 19.5% of 149 areas."""
ENOUGH_POWER: Final = 0.5
"""A test that finds a flaw as large as the least detectable effect less often than this says nothing when passed."""
JOINT: Final = "joint"
PART_OF_AREA: Final = Unavailable(
    "Schools listed by name are part of their area, so that other areas cannot stand in for them and the check cannot "
    "be ranked."
)
_NO_PLACEBO: Final = Unavailable("The project names no placebo outcome that could be estimated.")
_SAME_AS_TREND: Final = Unavailable(
    "With two years before the programme a start put back compares the same two years as the movement before the "
    "programme does: it would be the same check twice."
)
_SEVERAL_AREAS: Final = Unavailable(
    "Where schools of several areas are listed, one school can count in several comparisons, and how far it moves the "
    "effect is not ranked."
)
_SAME_LISTS: Final = Unavailable("Both neighbour lists name the same areas.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Falsification:
    """One test's statistic in every area, the treated one's among them.

    Attributes
    ----------
    areas, statistic : shape (J,)
    treated : position of the treated area
    per_point : by how much a flaw that biases the effect by one point moves the statistic
    is_largest : whether the statistic is the largest of several parts, of which a flaw is one more, and not a sum
    can_be_serious : whether a small p-value is serious, or a caution at most
    weights : shape (J,), of sets: 1 for the listed schools' own, and 1 over the sets of its area for another; None
        where each entry is an area
    n_areas : areas, the treated counted, where entries are sets
    p_of_effect : the p-value of the effect itself, where the statistic is one that is shown
    """

    name: str
    areas: Ints
    statistic: Floats
    treated: int
    per_point: float
    is_largest: bool = False
    can_be_serious: bool = True
    weights: Floats | None = None
    n_areas: int = 0
    p_of_effect: float | None = None

    @property
    def is_of_sets(self) -> bool:
        """Return whether the treated are listed schools, placed among sets."""
        return self.weights is not None

    @property
    def size(self) -> int:
        """Return how many areas there are, the treated counted."""
        return self.n_areas if self.is_of_sets else len(self.areas)

    @property
    def share_as_large(self) -> float:
        """Return the share of the others that are at least as large, sets counting as their areas do."""
        total = float(len(self.areas) if self.weights is None else self.weights.sum())
        return (self.p_value * total - 1) / (total - 1)

    @property
    def value(self) -> float:
        """Return the treated area's statistic."""
        return float(self.statistic[self.treated])

    @property
    def points(self) -> float:
        """Return the largest bias of the effect, in points, that the treated area's statistic stands for."""
        return self.value / self.per_point

    @property
    def n_as_large(self) -> int:
        """Return how many areas have a statistic at least as large in size, the treated one among them."""
        return round(self.p_value * self.size)

    @property
    def p_value(self) -> float:
        """Return (1 + other areas with a statistic at least as large in size) / J; of sets their areas' shares."""
        if self.p_of_effect is not None:
            return self.p_of_effect
        return float(rank_p_values(self.statistic, self.weights)[self.treated])

    def detected(self, flaw: float) -> float:
        """Return the share of the other areas in which a flaw that biases the effect by `flaw` points is serious."""
        others = np.delete(self.statistic, self.treated)
        weights = None if self.weights is None else np.delete(self.weights, self.treated)
        return float(np.mean([share_at_least(made, others, SERIOUS, weights) for made in self.planted(others, flaw)]))

    def planted(self, statistic: Floats, flaw: float) -> tuple[Floats, ...]:
        """Return statistics with a flaw that biases the effect by `flaw` points, up and down where that differs."""
        moved = flaw * self.per_point
        if self.is_largest:
            return (np.maximum(statistic, moved),)
        return statistic + moved, statistic - moved

    def power(self, detectable: Quantity) -> CheckPower | Unavailable:
        """Return the power at 0.5, 1 and 2 times the least detectable effect, or why it is not known."""
        if isinstance(detectable, Unavailable):
            return detectable
        half, one, twice = (self.detected(times * detectable) for times in (0.5, 1.0, 2.0))
        return CheckPower(violation=detectable, at_half=half, at_one=one, at_twice=twice)

    def verdict(self, power: CheckPower | Unavailable) -> Verdict:
        """Return the verdict of the treated area's rank; a test that was passed is informative only with power."""
        if self.p_value <= SERIOUS and self.can_be_serious:
            return Verdict.SERIOUS
        if self.p_value <= CAUTION:
            return Verdict.CAUTION
        is_informative = isinstance(power, CheckPower) and power.at_one >= ENOUGH_POWER
        return Verdict.REASSURING if is_informative else Verdict.UNINFORMATIVE


def detectable_at_design(results: Results) -> Quantity:
    """Return the least effect on the primary outcome that the design was to detect, known before outcomes."""
    entry = next((one for one in results.detectable if one.outcome == results.primary), None)
    return entry.at_design if entry else Unavailable("No least detectable effect was computed before outcomes.")


def earlier_movement(results: Results) -> Falsification | Unavailable:
    """Return the change between the first and last year before the programme, against neighbours, of every area."""
    pre, post = results.project.exposure.pre, results.project.exposure.post
    if len(pre) < 2:
        return ONE_YEAR
    # A straight line that biases the effect by one point over these years moves that much of a point before.
    slope = (max(pre) - min(pre)) / (float(np.mean(post)) - float(np.mean(pre)))
    if results.listed is not None:
        return _of_sets(results.listed, "pre_trend", LEAD, slope)
    found = _areas(results, results.primary, labels.LEAD, str(max(pre)))
    if isinstance(found, Unavailable):
        return found
    return _test(results, "pre_trend", found.groups, found.effects, slope)


def placebo_start(results: Results) -> Falsification | Unavailable:
    """Return the effect of a start put back before the last earlier year, which can have none, of every area."""
    exposure = results.project.exposure
    if len(exposure.pre) < 3:
        return _SAME_AS_TREND if len(exposure.pre) == 2 else ONE_YEAR
    main = results.estimate(results.primary) if results.listed else _areas(results, results.primary, *MAIN)
    if isinstance(main, Unavailable):
        return main
    last = max(exposure.pre)
    earlier = float(np.mean([year for year in exposure.pre if year != last]))
    slope = (last - earlier) / (float(np.mean(exposure.post)) - float(np.mean(exposure.pre)))
    if results.listed is not None:
        return _of_sets(results.listed, "placebo_start", START, slope, can_be_serious=False)
    outcome, design = results.outcomes[results.primary], results.locked.outcomes[results.primary]
    changes = outcome.weighed(changes_to_last_before(outcome.panel, exposure))
    comparison, pool = design.comparisons[labels.NEIGHBOURS], results.project.pool
    found = effects_by_area(changes, comparison, design.treated_group, pool.minimum_area_schools)
    found = found.without(set(pool.exclude_areas) - {design.treated_group})
    return _test(results, "placebo_start", found.groups, found.effects, slope, can_be_serious=False)


def placebo_outcome(results: Results) -> Falsification | Unavailable:
    """Return the effect on the outcome not aimed at, of every area; a shock to an area is taken to move both alike."""
    code = placebo_code(results)
    if not code or isinstance(results.estimate(code), Unavailable):
        return _NO_PLACEBO
    if results.listed is not None:
        test, effect = _of_sets(results.listed, "placebo_outcome", PLACEBO, 1.0), results.effect(code)
        if isinstance(test, Unavailable) or effect is None:
            return test
        if isinstance(effect.p_value, Unavailable):
            return effect.p_value
        return replace(test, p_of_effect=effect.p_value)  # of the effect's own schools, which may be a few more
    found = _areas(results, code, *MAIN)
    if isinstance(found, Unavailable):
        return found
    return _test(results, "placebo_outcome", found.groups, found.effects, 1.0)


def alternative_list(results: Results) -> Falsification | Unavailable:
    """Return the effect against the other list's neighbours less that against the main list's, of every area.

    The treated schools' own change is in both and cancels. A flaw of the main list's areas biases the second by as
    much as the lists have areas in common, by schools.
    """
    other = labels.neighbours_of(results.project.pool.alternative_neighbours)
    if results.listed is not None:
        apart = 1 - _common_share(results, other)
        return _SAME_LISTS if apart == 0 else _of_sets(results.listed, "alternative_list", LISTS, apart)
    main, second = (_areas(results, results.primary, name, "post") for name in (labels.NEIGHBOURS, other))
    if isinstance(main, Unavailable):
        return main
    if isinstance(second, Unavailable):
        return second
    apart = 1 - _common_share(results, other)
    if apart == 0:
        return _SAME_LISTS
    groups = np.intersect1d(main.groups, second.groups)
    statistic = _of(second.groups, second.effects, groups) - _of(main.groups, main.effects, groups)
    return _test(results, "alternative_list", groups, statistic, apart)


def influence(results: Results) -> Falsification | Unavailable:
    """Return the largest change of the effect when one school is left out, over the SD of other areas' effects."""
    if results.listed is not None:
        return _influence_of_listed(results.listed)
    main = _areas(results, results.primary, *MAIN)
    if isinstance(main, Unavailable):
        return main
    outcome, design = results.outcomes[results.primary], results.locked.outcomes[results.primary]
    exposure = results.project.exposure
    changes = outcome.weighed(changes_to(outcome.panel, exposure, exposure.post))
    moved = influence_by_area(changes, design.comparisons[labels.NEIGHBOURS], main.groups)
    # One SD for all, and not the treated area's effect in it: the effect's size moves no rank and no statistic.
    spread = float(np.std(main.effects[main.groups != design.treated_group], ddof=1))
    return _test(results, "influence", main.groups, moved / spread, 1 / spread, is_largest=True, can_be_serious=False)


TESTS: Final[tuple[Callable[[Results], Falsification | Unavailable], ...]] = (
    earlier_movement,
    placebo_start,
    placebo_outcome,
    alternative_list,
    influence,
)
"""Every falsification test. Three can be serious: with a fourth more than 15% of areas without a programme would have
a serious one (docs/methods/checks.md)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointTest:
    """All falsification tests of a project together: Q_j = −Σ_k log p_kj over areas that have every one of them.

    `p_values` has one row for each of `names`, ranked among the same areas; `treated` is a position in `areas`.
    """

    names: tuple[str, ...]
    areas: Ints
    p_values: Floats
    statistic: Floats
    treated: int
    n_areas: int
    weights: Floats | None = None

    @property
    def p_value(self) -> float:
        """Return (1 + other areas whose Q is at least as large) / J."""
        return float(rank_p_values(self.statistic, self.weights)[self.treated])


def joint_of(tests: list[Falsification]) -> JointTest | Unavailable:
    """Return the joint test over the areas that all tests have in common, or why there is none."""
    if not tests:
        return Unavailable("No falsification test could be ranked among areas.")
    areas = tests[0].areas
    for test in tests[1:]:
        areas = np.intersect1d(areas, test.areas)
    own = tests[0].areas[tests[0].treated]
    if len(areas) < FEWEST_AREAS or own not in areas:
        return Unavailable(f"{len(areas)} areas have every falsification test; {FEWEST_AREAS} are needed.")
    first = tests[0]
    weights = None if first.weights is None else _of(first.areas, first.weights, areas)
    p_values = np.array([rank_p_values(_of(test.areas, test.statistic, areas), weights) for test in tests])
    return JointTest(
        n_areas=first.size if first.is_of_sets else len(areas),
        weights=weights,
        names=tuple(test.name for test in tests),
        areas=areas,
        p_values=p_values,
        statistic=joint_statistic(p_values),
        treated=int(np.searchsorted(areas, own)),
    )


def ranked_tests(results: Results) -> list[Falsification]:
    """Return every falsification test that could be ranked."""
    return [test for test in (make(results) for make in TESTS) if isinstance(test, Falsification)]


def placebo_code(results: Results) -> str:
    """Return the outcome that the programme did not aim at, or an empty text."""
    return next((o.code for o in results.project.outcomes if o.role == "placebo"), "")


def _areas(results: Results, outcome: str, design: str, period: str) -> AreaEffects | Unavailable:
    found, estimate = results.outcomes.get(outcome), results.estimate(outcome, design, period)
    if isinstance(estimate, Unavailable):
        return estimate
    areas = found.areas.get((design, period)) if found else None
    if areas is None or not results.locked.outcomes[results.primary].is_whole_area:
        return PART_OF_AREA
    return areas


def _of_sets(
    listed: ListedStatistics, name: str, column: str, per_point: float, *, can_be_serious: bool = True
) -> Falsification | Unavailable:
    """Return the test of listed schools among sets: the statistic less what like sets have on average."""
    entries = listed.sets.entries(listed.columns[column])
    if entries.reason:
        return Unavailable(entries.reason)
    return Falsification(
        name=name,
        areas=entries.rows,
        statistic=entries.values,
        treated=len(entries.rows) - 1,
        per_point=per_point,
        can_be_serious=can_be_serious,
        weights=entries.weights,
        n_areas=entries.n_areas,
    )


def _influence_of_listed(listed: ListedStatistics) -> Falsification | Unavailable:
    entries, spread = listed.sets.entries(listed.columns[INFLUENCE], False), listed.sets.inference(0).spread
    if listed.sets.draws.n_treated > 1:
        return _SEVERAL_AREAS
    if entries.reason or isinstance(spread, Unavailable) or spread == 0:
        return Unavailable(entries.reason or "The sets moved alike, so that no school's weight can be judged.")
    return Falsification(
        name="influence",
        areas=entries.rows,
        statistic=entries.values / spread,
        treated=len(entries.rows) - 1,
        per_point=1 / spread,
        is_largest=True,
        can_be_serious=False,
        weights=entries.weights,
        n_areas=entries.n_areas,
    )


def _test(
    results: Results,
    name: str,
    groups: Ints,
    statistic: Floats,
    per_point: float,
    *,
    is_largest: bool = False,
    can_be_serious: bool = True,
) -> Falsification | Unavailable:
    treated = np.flatnonzero(groups == results.locked.outcomes[results.primary].treated_group)
    if len(groups) < FEWEST_AREAS or not len(treated):
        return Unavailable(
            f"{len(groups)} areas could be analysed the same way, the treated one among them; {FEWEST_AREAS} are "
            "needed before a rank among them can be unlikely."
        )
    order = np.argsort(groups)
    return Falsification(
        name=name,
        areas=groups[order],
        statistic=statistic[order],
        treated=int(np.flatnonzero(order == treated[0])[0]),
        per_point=per_point,
        is_largest=is_largest,
        can_be_serious=can_be_serious,
    )


def _of(groups: Ints, values: Floats, chosen: Ints) -> Floats:
    order = np.argsort(groups)
    found: Floats = values[order][np.searchsorted(groups[order], chosen)]
    return found


def _common_share(results: Results, other: str) -> float:
    """Return the share of the other list's comparison schools that lie in areas of the main list."""
    design = results.locked.outcomes[results.primary]
    treated_group, groups = design.treated_group, results.outcomes[results.primary].panel.by_unit()["cluster"]
    near, far = (design.comparisons[name].of(treated_group) for name in (labels.NEIGHBOURS, other))
    of_other = groups.isin(far)
    return float((of_other & groups.isin(near)).sum() / of_other.sum())


# Where a statistic stands among those of all areas: ranks, their joint statistic, and the power of a rank.


def rank_p_values(statistic: Floats, weights: Floats | None = None) -> Floats:
    """Return each area's p-value among all: p_j = #{i: |s_i| ≥ |s_j|} / J, j itself counted; shape (J,).

    Of sets with `weights` (J,): p_j = [1 + Σ_i≠j w_i · 1(|s_i| ≥ |s_j|)] / Σ w, each set taken as if it were the list.
    """
    size = np.abs(statistic)
    if weights is not None:
        order = np.argsort(size, kind="stable")
        above = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
        as_large = above[np.searchsorted(size[order], size - TIE, side="left")]
        weighted: Floats = (1.0 - weights + as_large) / weights.sum()
        return weighted
    smaller = np.searchsorted(np.sort(size), size - TIE, side="left")
    p: Floats = (len(size) - smaller) / len(size)
    return p


def joint_statistic(p_values: Floats) -> Floats:
    """Return Q_j = −Σ_k log p_kj of areas whose checks stand in rows, shape (K, J) to (J,) (Fisher, 1932).

    Fisher's χ² would need independent checks; Q is ranked among the same areas instead, so that whatever ties the
    checks to one another is in its distribution too.
    """
    joint: Floats = -np.log(p_values).sum(axis=0)
    return joint


def share_at_least(planted: Floats, statistic: Floats, alpha: float, weights: Floats | None = None) -> float:
    """Return how often a planted statistic would be among the `alpha` largest in size: the power of a rank.

    Parameters
    ----------
    planted, statistic : shape (J − 1,)
        The statistic with and without the flaw, of every area but the treated one. The treated area is taken to be
        like each in turn but for the flaw, and ranked among them all: it is found where
        (1 + #{i: |s_i| ≥ |planted_j|}) / J ≤ alpha.
    weights : shape (J − 1,)
        Of sets, which count by them; one each where entries are areas.
    """
    if weights is not None:
        size = np.abs(statistic)
        order = np.argsort(size, kind="stable")
        above = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
        counted = above[np.searchsorted(size[order], np.abs(planted) - TIE, side="left")]
        return float(np.average((1 + counted) / (weights.sum() + 1) <= alpha + TIE, weights=weights))
    as_large = len(statistic) - np.searchsorted(np.sort(np.abs(statistic)), np.abs(planted) - TIE, side="left")
    return float(np.mean((1 + as_large) / (len(statistic) + 1) <= alpha + TIE))
