"""Sets of schools matched anew, against the matching that designs are locked with."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.baseline import Baseline
from evalkit.design.matching.pairs_arrays import GroupScatter
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.design.project.group_matching import GroupNeighbours, match_groups, order_for_ties, region_codes
from evalkit.estimate.areas.set_draws import TreatedSet
from evalkit.estimate.areas.set_matches import MatchedGaps

N_AREAS = 12


def england(seed, ties):
    """Twelve areas in two regions, 8 to 14 schools each; six schools of the first are listed, its others left out."""
    random = np.random.default_rng(seed)
    sizes = np.array([6, *random.integers(8, 15, N_AREAS - 1)])
    area = np.repeat(np.arange(1, N_AREAS + 1), sizes)
    index = pd.Index([f"{100_000 + at}" for at in random.permutation(len(area))])
    values = random.normal(size=(len(area), 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    values = np.round(values * 2) / 2 if ties else values
    units = pd.DataFrame({"group": area, "region": np.where(area % 2, "N", "S")}, index=index)
    units["group"] = units["group"].where(units["group"] > 1, TREATED_GROUP)
    return units, pd.DataFrame(values, index=index, columns=["score", "size"]), area


def baseline_of(units, covariates):
    is_treated = units["group"] == TREATED_GROUP
    return Baseline.of(units.assign(is_treated=is_treated), covariates, [2016, 2017], 2018)


def gaps_of(units, covariates, area, option, change, weight):
    """Return the statistic as a run makes it; every school may be drawn."""
    is_other = (units["group"] != TREATED_GROUP).to_numpy()
    region, order = region_codes(units["region"], option), order_for_ties(units.index)
    near = order[is_other[order]]
    group = units["group"].to_numpy()[is_other]
    return MatchedGaps(
        covariates=covariates.to_numpy(),
        area=area,
        region=region,
        order=tuple(near[region[near] == where] for where in range(int(region.max()) + 1)),
        change=change,
        weight=weight,
        position=np.arange(len(units)),
        ratio=option.ratio,
        scatter=GroupScatter.of(covariates.to_numpy()[is_other], group),
    )


@pytest.mark.parametrize("within_region", [True, False], ids=["within regions", "anywhere"])
@pytest.mark.parametrize("ties", [True, False], ids=["ties", "no ties"])
@pytest.mark.parametrize("places", [(4,), (4, 7), (3, 5, 9)], ids=str)
def test_a_set_is_matched_as_if_it_had_been_listed(within_region, ties, places):
    units, covariates, area = england(7, ties)
    option = GroupNeighbours(ratio=3, covariates=("score", "size"), within_region=within_region)
    random = np.random.default_rng(len(places))
    change, weight = random.normal(size=len(units)), random.uniform(1, 3, len(units))
    statistic = gaps_of(units, covariates, area, option, change, weight)
    chosen = np.concatenate([random.choice(np.flatnonzero(area == code), 5, replace=False) for code in places])
    one = TreatedSet(units=chosen, place=np.repeat(np.arange(len(places)), 5), areas=np.array(places), start=None)

    # The definition: the set is the treated group, the other schools of its areas and the listed are not there.
    left = ~np.isin(area, [1, *places])
    left[chosen] = True
    relabelled = units[left].copy()
    relabelled.loc[units.index[chosen], "group"] = TREATED_GROUP
    matches = match_groups(baseline_of(relabelled, covariates[left]), option, [TREATED_GROUP], TREATED_GROUP)
    pairs = matches.pairs(TREATED_GROUP)
    assert set(pairs["treated"]) == set(units.index[chosen])

    rows = np.sort(chosen)
    found = statistic.partners(rows, one.areas)
    for row, partners in zip(rows, found, strict=True):
        wanted = pairs.loc[pairs["treated"] == units.index[row], "comparison"]
        assert set(units.index[partners]) == set(wanted)

    of = pd.Series(change, units.index)
    partner = pairs.assign(change=of[pairs["comparison"]].to_numpy()).groupby("treated")["change"].mean()
    gap = of[partner.index] - partner
    by_hand = np.average(gap, weights=pd.Series(weight, units.index)[gap.index])
    assert statistic.of_set(one) == pytest.approx(by_hand, abs=1e-12)


def test_the_other_schools_of_a_sets_area_and_the_listed_are_nobodys_partners():
    units, covariates, area = england(8, ties=False)
    option = GroupNeighbours(ratio=3, covariates=("score", "size"), within_region=False)
    statistic = gaps_of(units, covariates, area, option, np.zeros(len(units)), np.ones(len(units)))
    rows = np.flatnonzero(area == 6)[:4]
    partners = statistic.partners(rows, np.array([6]))
    assert (partners >= 0).all()
    assert not np.isin(area[partners], [1, 6]).any()
