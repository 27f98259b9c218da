"""Tables to try `evalkit synth` on."""

import numpy as np
import pandas as pd

COLUMNS = ("--unit", "area", "--period", "year", "--outcome", "score")


def simulated(n_areas=24, years=range(1998, 2020), start=2016, effect=3.0, seed=4):
    """Areas with ids that begin with zeros; 000 gains `effect` from the start on."""
    random = np.random.default_rng(seed)
    years = np.array(years)
    factors = (0.3 * random.normal(size=(len(years), 2))).cumsum(axis=0)
    scores = random.normal(size=(n_areas, 1)) + random.normal(size=(n_areas, 2)) @ factors.T
    scores += 0.1 * random.normal(size=scores.shape)
    scores[0] -= scores[0].mean()
    scores[0, years >= start] += effect
    ids = np.repeat([f"{at:03d}" for at in range(n_areas)], len(years))
    return pd.DataFrame({"area": ids, "year": np.tile(years, n_areas), "score": scores.ravel()})
