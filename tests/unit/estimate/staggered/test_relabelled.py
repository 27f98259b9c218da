"""Numbers of relabelled panels from sums by cohort: against reruns of every estimator, and by hand."""

import numpy as np
import pandas as pd
import pytest

from evalkit import Panel, Roles, StaggeredOptions, staggered_design
from evalkit.estimate.staggered.relabelled import StaggeredStatistic, _rerun

ESTIMATORS = ("group-time", "imputation", "two-stage", "sun-abraham", "extended", "twfe")


def made_panel(n_areas=9, n_a=6, share_seen=1.0, weighted=False, seed=3):
    """Return a panel in which three units of area 0 and two of area 1 start in two different years."""
    rng = np.random.default_rng(seed)
    rows = []
    for area in range(n_areas):
        for k in range(n_a):
            start = {(0, 0): 2014, (0, 1): 2014, (0, 2): 2016, (1, 0): 2014, (1, 1): 2016}.get((area, k))
            if area in (0, 1) and start is None:
                continue
            level, weight = rng.normal(100, 5), rng.integers(10, 60) if weighted else 1
            for year in range(2011, 2018):
                if rng.random() < share_seen:
                    score = level + rng.normal() + (start is not None and year >= start)
                    rows.append((f"s{area}_{k}", area, year, score, start, weight))
    frame = pd.DataFrame(rows, columns=["school", "la", "year", "score", "start", "pupils"])
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="la", weight="pupils")
    return Panel.from_frame(frame, roles)


def statistic(panel, estimator, **options):
    design = staggered_design(panel, StaggeredOptions(**options))
    area = design.panel.frame["cluster"].to_numpy(dtype=int)[design.panel.first_rows]
    return StaggeredStatistic(design=design, area=area, estimator=estimator)


def relabellings(statistic, n=6, seed=5):
    """Return units that take the places of the treated, three of one area and two of another, and these areas."""
    rng = np.random.default_rng(seed)
    sizes = np.unique(statistic.area[statistic.treated], return_counts=True)[1]
    chosen, taken = [], []
    others = np.unique(statistic.area[statistic.is_pool])
    for _ in range(n):
        areas = rng.choice(others, 2, replace=False)
        sets = [
            rng.choice(np.flatnonzero(statistic.area == a), k, replace=False) for a, k in zip(areas, sizes, strict=True)
        ]
        chosen.append(np.concatenate(sets))
        taken.append(areas)
    return np.array(chosen), np.array(taken)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("comparison", ["never", "not-yet"])
@pytest.mark.parametrize("kind", ["balanced", "weighted", "gaps", "anticipation", "universal"])
def test_sums_give_what_a_rerun_gives(estimator, comparison, kind):
    panel = made_panel(share_seen=0.9 if kind == "gaps" else 1.0, weighted=kind == "weighted")
    options = {"anticipation": 1} if kind == "anticipation" else {}
    options |= {"base_period": "universal"} if kind == "universal" else {}
    one = statistic(panel, estimator, comparison=comparison, **options)
    chosen, taken = relabellings(one)
    fast = one.values(chosen, taken)
    slow = np.array(_rerun(one.prepared(), chosen.shape[1], np.hstack([chosen, taken])))
    assert fast.shape == slow.shape == (6, 1 + len(one.times))
    assert np.isfinite(slow[:, 0]).all()
    np.testing.assert_allclose(fast, slow, rtol=0, atol=2e-11)


def test_actual_labels_give_the_estimate():
    for estimator in ESTIMATORS[:-1]:
        one = statistic(made_panel(), estimator)
        found = one.values(one.treated[None, :], np.unique(one.area[one.treated])[None, :])
        from evalkit import overall_effect

        assert found[0, 0] == pytest.approx(overall_effect(one.effects()).estimate.value, abs=1e-11)
