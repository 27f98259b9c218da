"""How often falsification tests are serious in made-up Englands without a programme, and how often they find a flaw."""

import numpy as np
import pytest

from evalkit.diagnose.project.falsification import SERIOUS, Falsification, joint_of
from evalkit.estimate.areas.changes_arrays import group_effects, largest_influence

N_AREAS = 149
NAMES = ("pre_trend", "placebo_outcome", "alternative_list", "influence")
STEP = 0.4
"""What a straight line that biases the effect by one point moves before: one year of two and a half."""


def england(draw, by_size, names=NAMES, early=0.0, spilled=0.0):
    """Return tests of a made-up England, each area treated in turn, and the treated one drawn at random.

    Points ``early`` are added to the treated area in the last year before (anticipation), and points ``spilled`` to
    the areas of its main list in the year after (spillover).
    """
    sizes = np.clip(draw.lognormal(4.2, 0.8, N_AREAS), 5, 400).astype(int)
    group = np.repeat(np.arange(N_AREAS), sizes)
    spread = np.sqrt(60 / sizes) if by_size else np.ones(N_AREAS)
    shocks = draw.normal(size=(3, N_AREAS)) * 0.43 * spread  # 2016, 2017 and 2019
    scores = shocks[:, group] + draw.normal(size=(3, len(group))) * 2.7
    other = 0.86 * shocks[:, group] + 0.5 * (draw.normal(size=(3, N_AREAS)) * 0.43 * spread)[:, group]
    other = other + draw.normal(size=other.shape) * 2.5
    first, second = lists(draw)
    treated = int(draw.integers(N_AREAS))
    first[:, treated] = second[:, treated] = False
    scores[1] += early * (group == treated)
    scores[2] += spilled * first[treated][group]

    def effects(change, compared):
        return group_effects(change, np.ones(len(group)), group, compared).effect

    change, placebo = (s[2] - (s[0] + s[1]) / 2 for s in (scores, other))
    main = effects(change, first)

    def influence():
        return largest_influence(change, np.ones(len(group)), group, first) / np.delete(main, treated).std(ddof=1)

    made = {
        "pre_trend": (lambda: effects(scores[1] - scores[0], first), STEP),
        "placebo_outcome": (lambda: effects(placebo, first), 1.0),
        "alternative_list": (lambda: effects(change, second) - main, 0.5),
        "influence": (influence, 1.0),
    }
    areas = np.arange(N_AREAS)
    return [
        Falsification(
            name=name,
            areas=areas,
            statistic=made[name][0](),
            treated=treated,
            per_point=made[name][1],
            is_largest=name == "influence",
            can_be_serious=name != "influence",
        )
        for name in names
    ]


def lists(draw):
    """Return who is compared with whom by two lists of ten areas that share about half."""
    first, second = np.zeros((2, N_AREAS, N_AREAS), dtype=bool)
    for row in range(N_AREAS):
        near = draw.permutation(np.delete(np.arange(N_AREAS), row))[:15]
        first[row, near[:10]] = second[row, near[5:]] = True
    return first, second


def rates(n_draws, by_size, seed):
    """Return the shares of draws with each test serious, any of them, and all together."""
    draw = np.random.default_rng(seed)
    hits = []
    for _ in range(n_draws):
        tests = england(draw, by_size)
        own = [test.p_value <= SERIOUS for test in tests]
        can = [hit for hit, test in zip(own, tests, strict=True) if test.can_be_serious]
        hits.append([*own, any(can), joint_of(tests).p_value <= SERIOUS])
    return np.mean(hits, axis=0)


@pytest.mark.parametrize("by_size", [False, True])
def test_serious_where_nothing_happened(by_size):
    # 150 draws: errors of 1.8 points for 5% and 2.9 for 15%. Limits lie three of them above.
    found = rates(150, by_size, seed=11)
    assert (found[:4] <= 0.05 + 3 * 0.018).all()
    assert found[4] <= 0.15 + 3 * 0.029
    assert found[5] <= 0.05 + 3 * 0.018


@pytest.mark.slow
@pytest.mark.parametrize("by_size", [False, True])
def test_serious_where_nothing_happened_at_length(by_size):
    # 2,000 draws: errors of 0.5 points for 5% and 0.8 for 15%. Ranks give 7/149 = 4.7%.
    found = rates(2000, by_size, seed=12)
    assert found[:4] == pytest.approx(7 / 149, abs=0.015)
    assert found[4] <= 0.15
    assert found[5] == pytest.approx(7 / 149, abs=0.015)


def test_the_power_that_is_told_is_the_power_there_is():
    # A flaw of 2 points in the treated area's earlier trend (0.8 before), 300 draws: an error of 2.9 points.
    draw, told, seen = np.random.default_rng(13), [], []
    for _ in range(300):
        [test] = england(draw, by_size=False, names=("pre_trend",))
        told.append(test.detected(2.0))
        flawed = test.statistic.copy()
        flawed[test.treated] += 2.0 * STEP * draw.choice([-1, 1])
        made = Falsification(name=test.name, areas=test.areas, statistic=flawed, treated=test.treated, per_point=STEP)
        seen.append(made.p_value <= SERIOUS)
    assert 0.1 < np.mean(told) < 0.9
    assert np.mean(seen) == pytest.approx(np.mean(told), abs=0.09)


@pytest.mark.parametrize(
    ("name", "flaw", "least"), [("pre_trend", {"early": 3.0}, 0.6), ("alternative_list", {"spilled": 2.0}, 0.6)]
)
def test_a_planted_flaw_is_serious_and_clean_data_seldom(name, flaw, least):
    # 120 draws, the same with and without the flaw. Clean: 7/149 = 4.7%, an error of 1.9 points; the limit lies three
    # above. Anticipation of 3 points moves S by 3, against an SD of about 0.85. Spillover of 2 points moves the main
    # list by 2 and the other, which shares half of it, by 1: S moves by 1, against an SD of about 0.25.
    def share(planted):
        draw = np.random.default_rng(14)
        made = (england(draw, by_size=False, names=(name,), **planted) for _ in range(120))
        return np.mean([test.p_value <= SERIOUS for [test] in made])

    clean, found = share({}), share(flaw)
    assert clean <= 7 / 149 + 3 * 0.019
    assert found >= least
