"""A matching made again for many sets against `match` of each set from the start."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import without_units
from evalkit.design.matching.options import (
    CoarsenedExact,
    CovariateCaliper,
    EntropyBalancing,
    FullMatching,
    InverseProbability,
    NearestNeighbour,
    OptimalMatching,
    Subclassification,
)
from evalkit.design.matching.rerun import MatchingRerun
from evalkit.design.matching.scores_arrays import fit_binary, fit_logits, standardised
from evalkit.estimate.matched.after_matching import AFTER_NAMES, after_matching
from evalkit.estimate.matched.set_statistic import MatchedStatistic

N_AREAS, PER_AREA, N_SET = 30, 20, 9


def schools() -> pd.DataFrame:
    """Schools of thirty areas in five regions, two kinds and a rare third one; some without an outcome."""
    draw = stream(5, "matching rerun")
    n = N_AREAS * PER_AREA
    area = np.repeat(np.arange(N_AREAS), PER_AREA)
    frame = pd.DataFrame({"school": [f"s{at:04d}" for at in range(n)], "area": area, "region": area % 5})
    frame["region"] = "R" + frame["region"].astype(str)
    ability = draw.normal(0, 1, size=N_AREAS)[area] + draw.normal(0, 2, size=n)
    for year in (2016, 2017):
        frame[f"score_{year}"] = ability + draw.normal(0, 1, size=n)
    frame["size"] = draw.integers(10, 90, size=n).astype(float)
    frame["kind"] = np.where(draw.uniform(size=n) < 0.4, "academy", "maintained")
    frame["after"] = ability + draw.normal(0, 1, size=n)
    frame.loc[draw.uniform(size=n) < 0.05, "after"] = np.nan
    return frame


FRAME = schools()
COVARIATES = ("score_2016", "score_2017", "size", "kind")


def baseline(frame, covariates=COVARIATES):
    roles = BaselineRoles(treated="treated", unit="school", covariates=covariates, labels=("area", "region"))
    return Baseline.from_frame(frame, roles)


class Drawn:
    """Sets as a statistic sees them."""

    def __init__(self, members, areas):
        self.members, self.areas = members, areas

    def __len__(self):
        return len(self.members)


def sets_of(n_sets=6, n_areas=1):
    """Sets of schools of areas drawn, as positions in the frame."""
    draw = stream(6, f"matching rerun {n_areas}")
    members, areas = [], []
    for _ in range(n_sets):
        chosen = draw.choice(np.arange(2, N_AREAS), n_areas, replace=False)
        units = [draw.choice(np.flatnonzero(FRAME["area"] == area), N_SET // n_areas, replace=False) for area in chosen]
        members.append(np.concatenate(units))
        areas.append(chosen)
    return Drawn(np.array(members), np.array(areas))


def from_the_start(option, members, areas, never=(0, 1), covariates=COVARIATES):
    """Match one set as a table of its own, and estimate."""
    is_in = np.zeros(len(FRAME), dtype=bool)
    is_in[members] = True
    kept = is_in | ~FRAME["area"].isin([*areas, *never]).to_numpy()
    frame = FRAME.assign(treated=is_in.astype(int))[kept]
    design = match(baseline(frame, covariates), option)
    by_unit = frame.set_index("school")
    design = without_units(design, by_unit["after"].isna().to_numpy())
    before = by_unit[["score_2016", "score_2017"]]
    found = after_matching(design, before, by_unit["after"])
    return [getattr(found.of(name), "estimate", None) for name in AFTER_NAMES]


OPTIONS = {
    "nearest": NearestNeighbour(),
    "three each": NearestNeighbour(ratio=3),
    "with replacement": NearestNeighbour(ratio=2, replacement=True),
    "reuse": NearestNeighbour(ratio=2, reuse_limit=2),
    "exact": NearestNeighbour(exact=("region",), ratio=2),
    "anti-exact": NearestNeighbour(anti_exact=("region",)),
    "caliper": NearestNeighbour(caliper=0.2),
    "closest first": NearestNeighbour(order="closest", ratio=2),
    "variable": NearestNeighbour(ratio=2, fewest=1, most=4),
    "within first": NearestNeighbour(within_first="region"),
    "covariate caliper": NearestNeighbour(calipers={"size": CovariateCaliper(width=0.5)}),
    "log odds": NearestNeighbour(distance="linear-logit"),
    "probit": NearestNeighbour(distance="probit"),
    "mahalanobis": NearestNeighbour(distance="mahalanobis", ratio=2),
    "ranks": NearestNeighbour(distance="robust-mahalanobis"),
    "euclidean": NearestNeighbour(distance="euclidean", exact=("kind",)),
    "own": NearestNeighbour(distance="own", own_score="score_2017"),
    "inside a caliper": NearestNeighbour(mahalanobis_on=("score_2017", "size"), caliper=0.3),
    "common support": NearestNeighbour(common_support="both"),
    "optimal": OptimalMatching(),
    "optimal, three each": OptimalMatching(ratio=3, distance="mahalanobis"),
    "optimal, exact": OptimalMatching(exact=("region",)),
    "full": FullMatching(),
    "full, mahalanobis": FullMatching(distance="mahalanobis", exact=("region",)),
    "entropy": EntropyBalancing(),
    "ipw": InverseProbability(),
    "cem": CoarsenedExact(cutpoints={"score_2016": 3, "score_2017": 3, "size": 2}),
    "subclasses": Subclassification(n_subclasses=3),
}


def statistic(option, covariates=COVARIATES, frame=FRAME):
    table = baseline(frame.assign(treated=(frame["area"] < 1).astype(int)), covariates)
    columns = np.column_stack([frame[["score_2016", "score_2017", "size"]], frame["kind"] == "maintained"]).astype(
        float
    )
    return MatchedStatistic(
        rerun=MatchingRerun.of(table, option),
        area=frame["area"].to_numpy(),
        never=np.array([0, 1]),
        before=frame[["score_2016", "score_2017"]].to_numpy(),
        after=frame["after"].to_numpy(),
        columns=columns,
    )


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_every_method_finds_what_it_finds_from_the_start(option):
    sets = sets_of()
    found = statistic(option)(sets)
    n_compared = 0
    for row, (members, areas) in enumerate(zip(sets.members, sets.areas, strict=True)):
        try:
            expected = from_the_start(option, members, areas)
        except DesignError:
            assert np.isnan(found[row]).all()
            continue
        for at, estimate in enumerate(expected):
            if estimate is None:
                assert np.isnan(found[row, at])
                continue
            assert found[row, at] == pytest.approx(estimate.value, abs=1e-9)
            n_compared += 1
    assert n_compared >= 9


def test_sets_of_several_areas_are_compared_with_none_of_them():
    sets = sets_of(n_areas=3)
    found = statistic(NearestNeighbour(ratio=2))(sets)
    for row, (members, areas) in enumerate(zip(sets.members, sets.areas, strict=True)):
        expected = [one.value for one in from_the_start(NearestNeighbour(ratio=2), members, areas)]
        assert found[row] == pytest.approx(expected, abs=1e-9)


def test_a_set_does_not_hang_on_the_sets_beside_it():
    sets = sets_of(40)
    together = statistic(NearestNeighbour(ratio=2))(sets)
    one_by_one = [
        statistic(NearestNeighbour(ratio=2))(Drawn(sets.members[at : at + 1], sets.areas[at : at + 1]))[0]
        for at in range(0, 40, 7)
    ]
    assert np.array_equal(together[::7], one_by_one, equal_nan=True)


def test_the_order_of_a_set_does_not_matter():
    sets = sets_of()
    turned = Drawn(sets.members[:, ::-1], sets.areas)
    made = statistic(NearestNeighbour())
    assert made(sets) == pytest.approx(made(turned), abs=1e-12, nan_ok=True)


def test_places_that_nobody_takes_are_left_empty():
    sets = sets_of()
    wider = np.column_stack([sets.members, np.full(len(sets), -1)])
    made = statistic(NearestNeighbour())
    assert np.array_equal(made(sets), made(Drawn(wider, sets.areas)), equal_nan=True)


def test_a_level_that_a_set_does_not_meet_is_no_column_of_its_score():
    # a kind that only an area treated in truth has: its column would be empty, and the score without it is meant
    frame = FRAME.assign(kind=FRAME["kind"].mask(FRAME["area"] == 1, "special"))
    sets = sets_of()
    made = statistic(NearestNeighbour(), frame=frame)
    plain = statistic(NearestNeighbour())(sets)
    assert np.isfinite(plain[:, 0]).sum() >= 5
    assert np.array_equal(made(sets), plain, equal_nan=True)


def test_logits_fitted_together_are_those_fitted_alone():
    sets = sets_of()
    columns = FRAME[["score_2016", "score_2017", "size"]].to_numpy()
    covariates = standardised(columns, np.ones(len(columns)))
    in_pool = np.array([~FRAME["area"].isin([0, *areas]).to_numpy() for areas in sets.areas])
    found = fit_logits(covariates, sets.members, in_pool)
    for row, members in enumerate(sets.members):
        there = in_pool[row].copy()
        there[members] = True
        is_treated = np.isin(np.flatnonzero(there), members)
        alone = fit_binary(standardised(columns[there], np.ones(there.sum())), is_treated, "logit")
        # the fit alone ends where the deviance settles, a little short of the maximum
        assert found[row][there] == pytest.approx(alone.predictor, abs=1e-5)


def test_separated_sets_have_no_logit():
    columns = np.column_stack([np.arange(40.0), np.tile([0.0, 1.0], 20)])
    covariates = standardised(columns, np.ones(40))
    members = np.array([[37, 38, 39], [3, 20, 30]])
    in_pool = np.ones((2, 40), dtype=bool)
    for row, units in enumerate(members):
        in_pool[row, units] = False
    found = fit_logits(covariates, members, in_pool)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
