"""The fast area effects equal slow loops over schools that follow the definition."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.published.neighbours import NeighbourTable
from evalkit.design.project.areas import neighbour_comparisons, rest_of_england
from evalkit.design.project.group_matching import GroupMatches
from evalkit.estimate.areas.area_effects import effects_by_area, effects_of_matches
from evalkit.estimate.areas.sample import Changes

OWN = 300


def england(seed, weighted):
    """Twelve areas of 1 to 9 schools; the treated one is 300."""
    rng = np.random.default_rng(seed)
    codes = np.array([300, *range(301, 312)])
    group = np.repeat(codes, rng.integers(1, 10, 12))
    units = pd.Index([f"{100_000 + i}" for i in range(len(group))])
    weight = rng.uniform(5, 90, len(group)) if weighted else np.ones(len(group))
    return Changes(units, group, rng.normal(size=len(group)), weight), rng


def mean_and_variance(change, weight):
    mean = sum(w * c for w, c in zip(weight, change, strict=True)) / sum(weight)
    if len(change) < 2:
        return mean, float("nan")
    spread = sum(w**2 * (c - mean) ** 2 for w, c in zip(weight, change, strict=True)) / sum(weight) ** 2
    return mean, spread / (1 - sum(w**2 for w in weight) / sum(weight) ** 2)


def slow_areas(changes, lists, fewest):
    """Loop over areas: own mean less the mean of the schools of its list, 300 never among them."""
    table = pd.DataFrame({"area": changes.group, "change": changes.change, "weight": changes.weight})
    rows = {}
    for area in sorted(table["area"].unique()):
        mine = table[table["area"] == area]
        others = table[table["area"].isin([a for a in lists[area] if a not in (OWN, area)])]
        if len(others) == 0 or (len(mine) < fewest and area != OWN):
            continue
        own, own_variance = mean_and_variance(mine["change"].tolist(), mine["weight"].tolist())
        other, other_variance = mean_and_variance(others["change"].tolist(), others["weight"].tolist())
        rows[area] = (own - other, np.sqrt(own_variance + other_variance), len(mine), len(others))
    return rows


def compare(found, wanted):
    assert found.groups.tolist() == sorted(wanted)
    for i, group in enumerate(found.groups.tolist()):
        np.testing.assert_allclose([found.effects[i], found.std_errors[i]], wanted[group][:2], atol=1e-10, rtol=0)
        assert (found.n[i], found.n_comparison[i]) == wanted[group][2:]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_against_neighbours(seed, weighted):
    changes, rng = england(seed, weighted)
    codes = sorted(set(changes.group.tolist()))
    lists = {code: tuple(rng.choice(codes, 4, replace=False).tolist()) for code in codes}
    lists[OWN] = (301, 302, 303, 999)
    comparisons = neighbour_comparisons(codes, NeighbourTable(lists, {}, {}, 0), {OWN: (OWN,)}, [])
    compare(effects_by_area(changes, comparisons, OWN, 5), slow_areas(changes, lists, 5))


def test_against_the_rest_of_england():
    changes, _ = england(9, False)
    codes = sorted(set(changes.group.tolist()))
    found = effects_by_area(changes, rest_of_england(codes, {OWN: (OWN,)}, []), OWN, 3)
    compare(found, slow_areas(changes, dict.fromkeys(codes, codes), 3))


def slow_matches(changes, matches, fewest):
    """Loop over schools: own change less the mean change of the partners that have one."""
    change = dict(zip(changes.units, changes.change, strict=True))
    weight = dict(zip(changes.units, changes.weight, strict=True))
    rows = {}
    for group in np.unique(matches.groups).tolist():
        gaps, used, mine = [], {}, []
        for at in np.flatnonzero(matches.groups == group):
            unit = matches.units[at]
            partners = [matches.units[p] for p in matches.partners[at] if p >= 0 and matches.units[p] in change]
            if unit not in change or not partners:
                continue
            mine.append(unit)
            gaps.append(change[unit] - sum(change[p] for p in partners) / len(partners))
            for p in partners:
                used[p] = used.get(p, 0.0) + weight[unit] / len(partners)
        if not mine or (len(mine) < fewest and group != OWN):
            continue
        own = [weight[unit] for unit in mine]
        effect = sum(w * g for w, g in zip(own, gaps, strict=True)) / sum(own)
        variances = [
            mean_and_variance([change[u] for u in mine], own)[1],
            mean_and_variance([change[u] for u in used], list(used.values()))[1],
        ]
        rows[group] = (effect, np.sqrt(sum(variances)), len(mine), len(used))
    return rows


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_against_matched_schools_some_of_them_lost(seed, weighted):
    changes, rng = england(seed, weighted)
    count = len(changes.units)
    partners = rng.integers(-1, count, (count, 3))
    matches = GroupMatches(changes.units, changes.group, partners, np.ones(partners.shape))
    kept = changes.keep(changes.units[rng.random(count) < 0.8])
    compare(effects_of_matches(kept, matches, OWN, 4), slow_matches(kept, matches, 4))


def small(partners, change=(1.0, 2.0, 0.0, 0.5)):
    units, group = pd.Index(list("abcd")), np.array([OWN, OWN, 301, 301])
    matches = GroupMatches(units, group, np.array(partners), np.ones((4, len(partners[0]))))
    return Changes(units, group, np.array(change), np.ones(4)), matches


def test_treated_schools_without_a_partner_are_counted_as_lost():
    changes, matches = small([[2], [-1], [-1], [-1]])
    found = effects_of_matches(changes, matches, OWN, 1)
    assert found.n_lost == 1
    assert found.effects.tolist() == [1.0]


def test_treated_schools_that_could_not_enter_the_matching_are_lost_too():
    changes, matches = small([[1], [-1], [-1], [-1]])
    # School b was analysed, but a covariate was missing, so that the matching never saw it.
    seen = GroupMatches(pd.Index(list("acd")), np.array([OWN, 301, 301]), matches.partners[:3], matches.distance[:3])
    found = effects_of_matches(changes, seen, OWN, 1)
    assert (found.n.tolist(), found.n_lost) == ([1], 1)


def test_where_nobody_is_matched_there_is_no_effect():
    changes, matches = small([[-1]] * 4)
    found = effects_of_matches(changes, matches, OWN, 1)
    assert found.groups.tolist() == []
    assert found.n_lost == 2
    assert found.position(OWN) == -1
