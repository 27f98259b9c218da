"""How often a pool of areas chosen low before, without a programme, is found: the size of the leading test.

`python tools/simulate_portfolio.py` prints the table of docs/methods/placebo-pool.md.
The card says what a harder made-up England gives (7.1%).
"""

import numpy as np

from evalkit.estimate.areas.placebo_pool import AreaTable, placebo_pool
from evalkit.estimate.areas.random_effects import random_effects

N_AREAS, LOWEST, K, N_POOLS = 150, 40, 8, 200


def england(generator):
    """Return levels, gaps and effects of areas whose passing lows pass: no area has a programme."""
    lasting, passing = generator.normal(0, 0.6, N_AREAS), generator.normal(0, 0.7, N_AREAS)
    gaps = passing + generator.normal(0, 0.3, N_AREAS)
    return lasting + passing, gaps, generator.normal(0, 0.4, N_AREAS) - passing


def tables(generator):
    """Return the tables of eight projects in the forty lowest areas."""
    levels, gaps, effects = england(generator)
    sizes = generator.integers(20, 120, N_AREAS)
    chosen = generator.choice(np.argsort(levels)[:LOWEST], K, replace=False)
    columns = tuple(map(float, effects)), tuple(map(float, gaps)), tuple(map(float, levels))
    return [
        AreaTable(
            own=own,
            areas=tuple(range(N_AREAS)),
            effects=columns[0],
            gaps=columns[1],
            levels=columns[2],
            sizes=tuple(map(int, sizes)),
        )
        for own in chosen.tolist()
    ]


def test_areas_chosen_low_are_found_no_more_often_than_they_may_be():
    generator = np.random.default_rng(11)
    old, new = [], []
    for at in range(N_POOLS):
        made = tables(generator)
        effects = [one.effects[one.own] for one in made]
        error = float(np.sqrt(np.mean(np.square(made[0].effects))))
        old.append(random_effects(effects, [error] * K).p_value <= 0.05)
        new.append(placebo_pool(made, (), name=str(at), n_draws=399).test.p_value <= 0.05)
    assert np.mean(old) > 0.3
    assert np.mean(new) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / N_POOLS)
    assert np.mean(new) >= 0.01  # nor is it merely never found
