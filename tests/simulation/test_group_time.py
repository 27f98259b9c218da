"""Bias and coverage of group-time effects, for every way of getting them.

Cohorts start in periods 3 and 5 of six, the rest never do. The effect on cohort g in period t is
h_g (1 + (t − g)/2) + 0.4 x with h = 1 and 0.5: it differs between units and cohorts and grows. With covariates, x is
normal with variance 1 and mean m_g (0.6 in cohort 3, else 0), so that every propensity score is a logit in x, also
against cohorts pooled; without the programme outcomes drift by 0.3 x a period, so that cohort 3 and the rest do not
move in parallel unless x is taken into account. `python tests/simulation/test_group_time.py` prints the table of
docs/methods/group-time.md (some 20 minutes on one core).

Bounds: bias within 3 Monte Carlo errors for the averages of everything, 4 for their parts (there are a dozen in each of
48 settings). It is measured from the truth at the shares that cohorts have in the draw: an average weighted by
estimated shares is a ratio, with a bias of order 1/n (−0.002 for 150 schools) that is not the estimator's. Coverage is
that of the truth itself: of nominal 95% intervals in the long version 93% to 97% for the averages; from 92.5% with the
bootstrap, where 199 draws in place of a report's 999 make errors vary by 8% and so cost 0.4 points; one point less for
their parts, some of which rest on 37 schools, and for bands of 199 draws, whose quantile is as uncertain. In the short
version it lies within the central 99.98% of the binomial distribution at 94.5%, what 500 units or 150 schools give.
Seeds are fixed.
"""

import sys
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.core.draws import stream
from evalkit.core.quantities import Interval
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results

SHORT, LONG = 20, 2000
PERIODS = np.arange(1, 7)
COHORTS, SHARES, HEIGHT, MEAN = (3, 5), (0.25, 0.3), (1.0, 0.5), (0.6, 0.0)
UNITS, SCHOOLS, PUPILS, LOST = 500, 150, 8, 0.15
DATA = ("panel", "unbalanced", "sections")
METHODS, COMPARISONS, ERRORS = ("dr", "ipw", "reg"), ("never", "not-yet"), ("analytic", "bootstrap")
N_DRAWS, LEAST = 199, {"analytic": 0.93, "bootstrap": 0.925}


def effect(cohort, period):
    """Return the average effect without covariates on a cohort in a period, 0 before its start."""
    return np.where(
        period >= cohort, np.select([cohort == g for g in COHORTS], HEIGHT) * (1 + (period - cohort) / 2), 0
    )


def truth(has_covariate, shares=SHARES):
    """Return the value of every number reported, by its name, if cohorts have the shares given of all units."""
    cells = [
        (g, t, p, float(effect(np.array(g), t)) + 0.4 * m * has_covariate)
        for g, p, m in zip(COHORTS, shares, MEAN, strict=True)
        for t in PERIODS[g <= PERIODS]
    ]

    def average(chosen):
        return sum(p * v for _, _, p, v in chosen) / sum(p for _, _, p, _ in chosen)

    times = sorted({t - g for g, t, _, _ in cells})
    found = {"simple": average(cells)}
    found |= {("cohort", g): np.mean([v for c, _, _, v in cells if c == g]) for g in COHORTS}
    found |= {("time", e): 0.0 for e in (-3, -2, -1)}
    found |= {("time", e): average([c for c in cells if c[1] - c[0] == e]) for e in times}
    found |= {("period", t): average([c for c in cells if c[1] == t]) for t in PERIODS[COHORTS[0] <= PERIODS]}
    found["by cohort"] = np.average([found["cohort", g] for g in COHORTS], weights=shares)
    found["event time"] = np.mean([found["time", e] for e in times])
    found["calendar"] = np.mean([found["period", t] for t in PERIODS[COHORTS[0] <= PERIODS]])
    return {name: float(value) for name, value in found.items()}


def drawn_cohorts(n, random):
    """Return cohorts of n units, NaN for never, drawn with the shares."""
    return random.choice([*COHORTS, np.nan], size=n, p=[*SHARES, 1 - sum(SHARES)])


def panel_rows(random, has_covariate, lost=0.0, drift=lambda x: x, covariate=None):
    """Return a long table of units with persistent errors, a share of its rows lost at random."""
    cohort = drawn_cohorts(UNITS, random)
    mean = np.select([cohort == g for g in COHORTS], MEAN)
    x = random.normal(size=UNITS) + mean if covariate is None else covariate(cohort, random)
    noise = 0.5 * random.normal(size=(UNITS, len(PERIODS))) + 0.3 * random.normal(size=(UNITS, len(PERIODS))).cumsum(1)
    y = random.normal(size=UNITS)[:, None] + 0.2 * PERIODS + noise
    y = y + np.nan_to_num(effect(cohort[:, None], PERIODS))
    if has_covariate:
        y = y + 0.3 * PERIODS * drift(x)[:, None] + 0.4 * x[:, None] * (cohort[:, None] <= PERIODS)
    rows = pd.DataFrame({"x": x, "cohort": cohort, "unit": np.arange(UNITS)}).loc[np.repeat(np.arange(UNITS), 6)]
    rows = rows.assign(period=np.tile(PERIODS, UNITS), y=y.ravel())
    return rows[random.random(len(rows)) >= lost]


def section_rows(random, has_covariate):
    """Return pupils of schools, other pupils in each period; schools share shocks, and are the clusters."""
    cohort = drawn_cohorts(SCHOOLS, random)
    mean = np.select([cohort == g for g in COHORTS], MEAN)
    school, period = (a.ravel() for a in np.meshgrid(np.arange(SCHOOLS), np.repeat(PERIODS, PUPILS), indexing="ij"))
    x = (
        np.sqrt(0.1) * random.normal(size=SCHOOLS)[school]
        + np.sqrt(0.9) * random.normal(size=len(school))
        + mean[school]
    )
    shock = 0.2 * random.normal(size=(SCHOOLS, 7))[school, period] + 0.4 * random.normal(size=SCHOOLS)[school]
    own = cohort[school]
    y = 0.2 * period + shock + random.normal(size=len(school)) + np.nan_to_num(effect(own, period))
    if has_covariate:
        y = y + 0.3 * period * x + 0.4 * x * (period >= own)
    return pd.DataFrame({"x": x, "cohort": own, "unit": school, "period": period, "y": y})


def observed(data, random, has_covariate):
    """Return one draw as a panel or cross-sections."""
    roles = Roles(
        unit="unit", period="period", outcome="y", cohort="cohort", covariates=("x",) if has_covariate else ()
    )
    if data == "sections":
        return CrossSections.from_frame(section_rows(random, has_covariate), roles)
    return Panel.from_frame(panel_rows(random, has_covariate, LOST if data == "unbalanced" else 0.0), roles)


def numbers(results):
    """Return every number reported, by its name."""
    found = {"simple": results.simple, "by cohort": results.by_cohort.overall}
    found |= {"event time": results.event_study.overall, "calendar": results.calendar.overall}
    found |= {("cohort", part.label): part for part in results.by_cohort.parts}
    found |= {("time", part.label): part for part in results.event_study.parts}
    return found | {("period", part.label): part for part in results.calendar.parts}


@dataclass
class Seen:
    """What the draws of one setting gave: errors and whether intervals cover, by name, and whether bands do."""

    errors: dict
    covers: dict
    bands: list

    def add(self, results, true, here):
        """Add a draw; `true` is the truth, `here` what it is with the shares that cohorts have in this draw."""
        for name, one in numbers(results).items():
            self.errors.setdefault(name, []).append(one.estimate - here[name])
            self.covers.setdefault(name, []).append(true[name] in one.interval)
        inside = [true["time", p.label] in p.band for p in results.event_study.parts if isinstance(p.band, Interval)]
        assert len(inside) == 7  # event times −3 to 3
        self.bands.append(all(inside))

    def bias(self):
        """Return the mean error of each number in Monte Carlo errors."""
        return {name: np.mean(v) / (np.std(v, ddof=1) / np.sqrt(len(v))) for name, v in self.errors.items()}


@cache
def simulated(data, has_covariate, n):
    """Return what n draws gave, by method, comparison and error; without a covariate all methods are one."""
    true, seen = truth(has_covariate), {}
    for draw in range(n):
        random = stream(draw, f"{data} {has_covariate}")
        observations = observed(data, random, has_covariate)
        units = observations.frame.drop_duplicates("unit")["cohort"]
        here = truth(has_covariate, [(units == g).mean() for g in COHORTS])
        for method, comparison in product(METHODS if has_covariate else ("dr",), COMPARISONS):
            design = staggered_design(observations, StaggeredOptions(comparison=comparison))
            effects = group_time_effects(design, method)
            for error in ERRORS:
                options = Uncertainty(n_draws=N_DRAWS if error == "bootstrap" else 0, seed=draw + 1)
                kept = seen.setdefault((method, comparison, error), Seen({}, {}, []))
                kept.add(staggered_results(effects, options), true, here)
    return seen


def coverage_bounds(n):
    return stats.binom.ppf([0.0001, 0.9999], n, 0.945) / n


SETTINGS = [(data, cov, m, c) for data, cov in product(DATA, (True, False)) for m in METHODS for c in COMPARISONS
            if cov or m == "dr"]  # fmt: skip


def require_unbiased(seen):
    for name, off in seen.bias().items():
        assert abs(off) < (4 if isinstance(name, tuple) else 3), (name, off)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("data", "has_covariate", "method", "comparison"), SETTINGS)
def test_short_no_bias_and_intervals_and_bands_that_cover(data, has_covariate, method, comparison, error):
    seen = simulated(data, has_covariate, SHORT)[method, comparison, error]
    require_unbiased(seen)
    low, high = coverage_bounds(SHORT)
    for name, covers in seen.covers.items():
        assert low <= np.mean(covers) <= high, name
    assert low <= np.mean(seen.bands) <= high


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("data", "has_covariate", "method", "comparison"), SETTINGS)
def test_long_no_bias_and_intervals_and_bands_that_cover(data, has_covariate, method, comparison, error):
    seen = simulated(data, has_covariate, LONG)[method, comparison, error]
    require_unbiased(seen)
    for name, covers in seen.covers.items():
        least = LEAST[error] - 0.01 * isinstance(name, tuple)
        assert least <= np.mean(covers) <= 0.97, name
    assert LEAST[error] - 0.01 * (error == "bootstrap") <= np.mean(seen.bands) <= 0.97


def narrow(cohort, random):
    """Return a covariate for which the score is no logit: its variance in cohort 3 is a tenth of that elsewhere."""
    return np.where(cohort == COHORTS[0], 0.8, 0.0) + np.where(cohort == COHORTS[0], 0.3, 1.0) * random.normal(
        size=len(cohort)
    )


WRONG = {"outcome": {"drift": np.square}, "score": {"covariate": narrow, "drift": lambda x: 2 * x}}


def misspecified(which, method, n):
    """Return the change of cohort 3 that no effect can explain, in Monte Carlo errors: its estimate in period 2.

    In period 2 no programme has begun, so that the right answer is 0 whatever effects are.
    """
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", covariates=("x",))
    found = []
    for draw in range(n):
        rows = panel_rows(stream(draw, which), True, **WRONG[which])
        effects = group_time_effects(staggered_design(Panel.from_frame(rows[rows["period"] <= 3], roles)), method)
        found.append(effects.cells[0].value)
    assert effects.cells[0].period == 2
    return np.mean(found) / (np.std(found, ddof=1) / np.sqrt(n))


@pytest.mark.parametrize(
    ("which", "fails", "others"), [("outcome", "reg", ("ipw", "dr")), ("score", "ipw", ("reg", "dr"))]
)
def test_doubly_robust_holds_where_one_of_its_two_models_is_wrong(which, fails, others):
    assert abs(misspecified(which, fails, 150)) > 4
    for method in others:
        assert abs(misspecified(which, method, 150)) < 3


def main(n):
    """Print the table of the method card."""
    print("| data | covariate | method | comparison | errors | bias / Monte Carlo error | coverage, % | band, % |")
    print("|---|---|---|---|---|---|---|---|")
    for data, has_covariate in product(DATA, (True, False)):
        for (method, comparison, error), seen in simulated(data, has_covariate, n).items():
            off, covers = seen.bias(), [100 * np.mean(c) for c in seen.covers.values()]
            worst = max(off.values(), key=abs)
            print(
                f"| {data} | {'x' if has_covariate else 'none'} | {method if has_covariate else 'all'} | {comparison} "
                f"| {error} | {off['simple']:+.1f} (worst {worst:+.1f}) | {100 * np.mean(seen.covers['simple']):.1f} "
                f"({min(covers):.1f} to {max(covers):.1f}) | {100 * np.mean(seen.bands):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LONG)
