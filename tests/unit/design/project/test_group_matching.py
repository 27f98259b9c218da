"""Matching every group as if it were treated, against loops that follow the definition."""

import zlib

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline
from evalkit.design.project.group_matching import GroupNeighbours, match_groups

TREATED = 3


def england(seed=0, ties=False):
    """Seven areas in two regions, 4 to 9 schools each, two covariates."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 10, 7)
    group = np.repeat(np.arange(1, 8), sizes)
    index = pd.Index([f"{100_000 + i}" for i in range(len(group))])
    values = rng.normal(size=(len(group), 2))
    values = np.round(values * 2) / 2 if ties else values @ np.array([[1.0, 0.6], [0.0, 0.8]])
    units = pd.DataFrame(
        {"group": group, "region": np.where(group % 2, "N", "S"), "is_treated": group == TREATED}, index=index
    )
    covariates = pd.DataFrame(values, index=index, columns=["score", "size"])
    return Baseline.of(units, covariates, [2016, 2017], 2018)


def by_hand(baseline, ratio, within_region):
    """Follow the definition unit by unit: partners and distances by unit."""
    units, x = baseline.units, baseline.covariates
    found = {}
    for own in sorted(units["group"].unique()):
        pool = units[(units["group"] != own) & (units["group"] != TREATED)].index
        mine = units[units["group"] == own].index
        sums = [(len(rows) - 1) * np.cov(x.loc[rows].T.to_numpy()) for rows in (mine, pool)]
        inverse = np.linalg.inv((sums[0] + sums[1]) / (len(mine) + len(pool) - 2))
        for unit in mine:
            ranked = []
            for other in pool:
                if within_region and units.loc[other, "region"] != units.loc[unit, "region"]:
                    continue
                gap = (x.loc[unit] - x.loc[other]).to_numpy()
                ranked.append((round(float(np.sqrt(gap @ inverse @ gap)), 9), zlib.crc32(other.encode()), other))
            found[unit] = [(other, distance) for distance, _, other in sorted(ranked)[:ratio]]
    return found


@pytest.mark.parametrize("within_region", [True, False])
@pytest.mark.parametrize("ties", [True, False])
def test_matches_equal_those_of_the_definition(within_region, ties):
    baseline = england(5, ties)
    option = GroupNeighbours(ratio=5, covariates=("score", "size"), within_region=within_region)
    matches = match_groups(baseline, option, list(range(1, 8)), TREATED)
    wanted = by_hand(baseline, 5, within_region)
    for own in range(1, 8):
        pairs = matches.pairs(own)
        for unit, rows in pairs.groupby("treated"):
            assert rows["comparison"].tolist() == [other for other, _ in wanted[unit]]
            np.testing.assert_allclose(rows["distance"], [distance for _, distance in wanted[unit]], atol=2e-9)
        assert set(pairs["treated"]) == set(baseline.units.index[baseline.units["group"] == own])


def test_the_treated_serve_nobody_and_nobody_serves_itself():
    baseline = england(1)
    matches = match_groups(baseline, GroupNeighbours(ratio=5, covariates=("score",)), list(range(1, 8)), TREATED)
    served = matches.partners[matches.partners >= 0]
    assert TREATED not in set(matches.groups[served])
    rows = np.nonzero(matches.partners >= 0)[0]
    assert (matches.groups[rows] != matches.groups[served]).all()


def test_a_constraint_holds_on_the_result():
    baseline = england(2)
    matches = match_groups(baseline, GroupNeighbours(ratio=9, covariates=("score", "size")), list(range(1, 8)), TREATED)
    region = baseline.units["region"].to_numpy()
    rows, places = np.nonzero(matches.partners >= 0)
    assert (region[rows] == region[matches.partners[rows, places]]).all()


def test_a_region_without_anybody_else_leaves_its_units_unmatched():
    baseline = england(3)
    units = baseline.units.assign(region=np.where(baseline.units["group"] == 5, "Island", "N"))
    alone = Baseline.of(units, baseline.covariates, [2016], 2018)
    matches = match_groups(alone, GroupNeighbours(ratio=2, covariates=("score",)), [TREATED, 5], TREATED)
    assert len(matches.pairs(5)) == 0
    assert len(matches.pairs(TREATED)) == 2 * int((units["group"] == TREATED).sum())


def test_a_covariate_that_does_not_vary_is_refused():
    baseline = england(4)
    flat = Baseline.of(baseline.units, baseline.covariates.assign(size=30.0), [2016], 2018)
    with pytest.raises(DesignError, match="Every unit has the same size"):
        match_groups(flat, GroupNeighbours(covariates=("score", "size")), [TREATED], TREATED)


def test_a_covariate_that_follows_from_others_is_refused_by_name():
    baseline = england(4)
    twice = baseline.covariates.assign(double=2.0 * baseline.covariates["size"] + 1.0)
    doubled = Baseline.of(baseline.units, twice, [2016], 2018)
    with pytest.raises(DesignError, match="double follows from size, so schools cannot be matched on all of them"):
        match_groups(doubled, GroupNeighbours(covariates=("score", "size", "double")), [TREATED], TREATED)
