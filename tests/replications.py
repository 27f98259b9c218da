"""Every verb of the kit that takes an executor, on small tables, each giving numbers to compare digit by digit."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd

from evalkit.core.draws import Executor
from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.data.baseline import Baseline
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import ExactMatching, InverseProbability, NearestNeighbour
from evalkit.design.panel.area_design import area_design
from evalkit.design.panel.staggered import StaggeredDesign, staggered_design
from evalkit.design.project.areas import AreaComparisons
from evalkit.diagnose.cross_checks import cross_checks
from evalkit.diagnose.power.placebos import area_placebos, school_set_placebos
from evalkit.diagnose.power.report import PowerOptions
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.cluster_bootstrap import cluster_bootstrap
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.synthetic.control import augmented_control
from evalkit.estimate.synthetic.placebos import PlaceboOptions, placebo_in_space
from evalkit.estimate.two_way.randomisation import RandomisationOptions, randomisation_test

Numbers = list[object]


def panel(n: int = 60) -> Panel:
    """Return `n` schools in areas of three over six years, two cohorts and as many never treated."""
    random, years = np.random.default_rng(1), range(2012, 2018)
    start = np.array([2014.0, 2016.0, np.nan, np.nan])[np.arange(n) // 3 % 4]
    table = pd.DataFrame({"unit": np.repeat(np.arange(n), len(years)), "period": np.tile(list(years), n)})
    table = table.assign(
        cohort=np.repeat(start, len(years)),
        area=table["unit"] // 3,
        x=np.repeat(random.normal(size=n), len(years)),
        y=np.repeat(random.normal(size=n), len(years)) + random.normal(size=len(table)),
    )
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area", covariates=("x",))
    return Panel.from_frame(table, roles)


def staggered(n: int = 60) -> StaggeredDesign:
    return staggered_design(panel(n))


def drawn_clusters(executor: Executor, n_draws: int = 110, n: int = 60) -> Numbers:
    """110 draws: four chunks of 25 and one of 10."""
    found = cluster_bootstrap(staggered(n), group_time_effects, Uncertainty(n_draws=n_draws, executor=executor))
    parts = (found.simple, *found.event_study.parts, *found.by_cohort.parts)
    return [(part.std_error, part.interval, part.band) for part in parts]


def drawn_units(option: object, executor: Executor) -> Numbers:
    random, n = np.random.default_rng(2), 90
    x = random.normal(size=n)
    is_treated = random.random(n) < 1 / (1 + np.exp(1.0 - x))
    index = pd.Index([f"S{at:02d}" for at in range(n)], name="unit")
    covariates = pd.DataFrame({"x": x, "kind": np.where(x > 0, "a", "b")}, index=index)
    compared = ["kind"] if isinstance(option, ExactMatching) else ["x"]
    baseline = Baseline(pd.DataFrame({"is_treated": is_treated}, index=index), covariates[compared])
    design = match(baseline, option)
    outcome = pd.Series(x + is_treated + random.normal(size=n), index=index)
    found = matched_effect(design, outcome, EffectOptions(errors="bootstrap", n_draws=110, executor=executor))
    return [found.estimate, found.inference]


def permuted(is_studentised: bool, executor: Executor) -> Numbers:
    """2,500 drawn assignments: three pieces of a thousand at most."""
    options = RandomisationOptions(n_draws=2_500, is_studentised=is_studentised, executor=executor)
    found = randomisation_test(without_covariates(panel()), options)
    assert not found.is_enumerated
    return [found.estimate, found.inference.p_value, found.inference.interval]


def areas_as_if_treated(executor: Executor) -> Numbers:
    random = np.random.default_rng(3)
    rows = [
        (f"A{area:02d}", year, 10 + 0.3 * area + 0.1 * (year - 2000) * (area % 5 - 2) + random.normal() * 0.3)
        for area in range(25)
        for year in range(2004, 2016)
    ]
    table = pd.DataFrame(rows, columns=["area", "year", "rate"])
    series = AreaSeries.from_frame(table, AreaRoles(unit="area", period="year", outcome="rate"))
    found = placebo_in_space(augmented_control(area_design(series, ["A07"], 2013)), PlaceboOptions(executor=executor))
    return [found.p_value, found.std_error, found.gaps.tolist()]


def power_sets(by_school: bool, executor: Executor) -> Numbers:
    random, groups = np.random.default_rng(5), tuple(range(1, 31))
    group = np.repeat(groups, 6)
    changes = Changes(pd.RangeIndex(len(group)), group, random.normal(size=len(group)), np.ones(len(group)))
    compared = ~np.eye(30, dtype=bool)
    compared[:, 0] = False
    design = SimpleNamespace(
        comparisons={"neighbours": AreaComparisons(groups, compared, {})}, treated_group=1, treated_areas=(1,)
    )
    pool = SimpleNamespace(minimum_area_schools=5, exclude_areas=())
    project = SimpleNamespace(pool=pool, inference=SimpleNamespace(statistic="studentised"), seed=1)
    options = PowerOptions(n_simulations=45, executor=executor)
    sets = (
        school_set_placebos(project, design, changes, [3, 2], options)
        if by_school
        else area_placebos(project, design, changes, options)
    )
    return [sets.effects.tolist(), sets.critical.tolist()]


def every_estimator(executor: Executor) -> Numbers:
    """The specification curve of a table: the overall effect by every estimator at hand."""
    design = staggered_design(without_covariates(panel()))
    return list(cross_checks(group_time_effects(design), Uncertainty(executor=executor)).rows)


def without_covariates(given: Panel) -> Panel:
    """Return a panel without covariates, which not every estimator takes."""
    roles = Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="cluster")
    return Panel.from_frame(given.frame[["unit", "period", "outcome", "cohort", "cluster"]], roles)


VERBS: dict[str, Callable[[Executor], Numbers]] = {
    "cluster bootstrap": drawn_clusters,
    "bootstrap of pairs": partial(drawn_units, NearestNeighbour()),
    "bootstrap within arms": partial(drawn_units, ExactMatching()),
    "bootstrap of weights": partial(drawn_units, InverseProbability()),
    "randomisation": partial(permuted, False),
    "randomisation, studentised": partial(permuted, True),
    "placebo areas": areas_as_if_treated,
    "power by areas": partial(power_sets, False),
    "power by schools": partial(power_sets, True),
    "specification curve": every_estimator,
}
