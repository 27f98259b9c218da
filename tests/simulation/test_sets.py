"""Randomisation over sets on made-up areas without an effect: how often it rejects, and what low lists gain.

The table in docs/methods/randomisation-over-sets.md is that of `tools/simulate_sets.py`, whose cases these are. Of R
outcomes a share of 5% has an error of √(.05 · .95/R): 1.8 points with 150, 0.7 with 1,000.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).resolve().parents[2] / "tools" / "simulate_sets.py"
    spec = importlib.util.spec_from_file_location("simulate_sets", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulate_sets"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["simulate_sets"]


def most(n, share=0.05, errors=3):
    return share + errors * np.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize(("n_listed", "n_areas"), [(26, 1), (6, 3)])
def test_a_list_drawn_at_random_is_rarely_found_to_have_an_effect(tool, n_listed, n_areas):
    seen = tool.simulated(tool.Case(n_listed, n_areas), 150)
    assert seen.size <= most(150)
    assert seen.coverage >= 1 - most(150)
    assert seen.withheld == 0


def test_a_low_list_is_found_to_gain_by_random_sets_and_less_by_sets_like_it(tool):
    simple, like = (tool.simulated(tool.Case(5, 1, is_low=True, rule=rule), 30) for rule in ("simple", "like"))
    assert simple.bias > 1.0
    assert abs(like.bias) < 0.5 * simple.bias
    assert like.size < simple.size


@pytest.mark.slow
@pytest.mark.parametrize(("n_listed", "n_areas"), [(5, 1), (26, 1), (49, 1), (6, 1), (6, 3), (6, 8), (6, 20)])
def test_size_and_coverage_of_a_thousand_outcomes(tool, n_listed, n_areas):
    seen = tool.simulated(tool.Case(n_listed, n_areas, of=161 if n_areas == 20 else tool.N_AREAS), 1_000)
    assert seen.size <= 0.07
    assert seen.coverage >= 0.93
