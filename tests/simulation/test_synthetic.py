"""How often placebo and conformal tests reject where there is no effect, and how far estimates are off."""

import numpy as np
import pytest

from evalkit.estimate.synthetic.conformal import moved_block_p
from evalkit.estimate.synthetic.control import augmented_control, synthetic_control, synthetic_did
from evalkit.estimate.synthetic.placebos import PlaceboOptions, placebo_in_space
from evalkit.estimate.synthetic.result import POOR_FIT

from ..unit.estimate.area_tables import design_of, factor_values

VERBS = {"sc": synthetic_control, "augmented": augmented_control, "sdid": synthetic_did}


def simulate(verb, n_worlds, seed, noise=0.3, n_donors=19, n_pre=12, n_post=3, outside=0.0):
    """Return estimates, placebo and conformal p-values and fit ratios of worlds without an effect; poor fits too."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(n_worlds):
        values = factor_values(random, n_donors + 1, n_pre + n_post, noise)
        values[0] += outside
        found = VERBS[verb](design_of(values, 2001 + n_pre))
        space = placebo_in_space(found)
        own = found.fit.post_rmse / max(found.fit.pre_rmse, space.floor)
        p_space = (1 + (space.ratios >= own).sum()) / (1 + len(space.ratios))
        residuals = found.method.residuals(found.design.series, found.design.donor_values.T)
        spread = found.pre_fit.spread
        rows.append((found.fit.estimate / spread, p_space, moved_block_p(residuals, n_post), found.pre_fit.ratio))
    return np.array(rows).T


def share(n, at):
    """Return three standard errors of a rejection rate."""
    return 3 * np.sqrt(at * (1 - at) / n)


@pytest.mark.parametrize(("verb", "n"), [("sc", 150), ("sdid", 100)])
def test_rejection_rates_in_short(verb, n):
    estimates, space, moved, _ = simulate(verb, n, seed=1)
    assert abs((space <= 0.2).mean() - 0.2) < share(n, 0.2) + 0.03
    assert (moved <= 0.2).mean() < 0.2 + share(n, 0.2) + 0.03
    assert abs(estimates.mean()) < 4 * estimates.std() / np.sqrt(n)


@pytest.mark.slow
@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_rejection_rates(verb, noise):
    n = 600
    estimates, space, moved, ratio = simulate(verb, n, seed=2, noise=noise)
    for level in (0.05, 0.1, 0.2):
        print(f"{verb} noise {noise} level {level}: placebo {(space <= level + 1e-9).mean():.3f}", end=" ")
        print(f"conformal {(moved <= level).mean():.3f}")
        assert abs((space <= level + 1e-9).mean() - level) < share(n, level) + 0.02
        assert (moved <= level).mean() < level + share(n, level) + 0.03
    kept = ratio <= POOR_FIT
    print(f"{verb} noise {noise}: shown {kept.mean():.2f} bias {estimates[kept].mean():.3f}")
    assert abs(estimates[kept].mean()) < 4 * estimates[kept].std() / np.sqrt(kept.sum())


@pytest.mark.slow
def test_an_area_unlike_all_others_is_biased_and_mostly_refused():
    estimates, _, _, ratio = simulate("sc", 400, seed=3, outside=4.0)
    kept = ratio <= POOR_FIT
    print(f"shown {kept.mean():.2f}; bias {estimates[kept].mean():.2f}, of all {estimates.mean():.2f}")
    assert kept.mean() < 0.3
    assert estimates.mean() > 1
    assert abs(estimates[kept].mean()) < 0.35


@pytest.mark.slow
def test_sets_of_treated_areas_drawn_alike():
    n, random, p = 200, np.random.default_rng(4), []
    for _ in range(n):
        values = factor_values(random, 30, 12)
        found = synthetic_control(design_of(values, 2010, treated=("A1", "A2", "A3")))
        p.append(placebo_in_space(found, PlaceboOptions(n_draws=99)).p_value)
    known = np.array([value for value in p if isinstance(value, float)])
    print(f"sets of three: {(known <= 0.1).mean():.3f} of {len(known)}")
    assert abs((known <= 0.1).mean() - 0.1) < share(len(known), 0.1) + 0.03
