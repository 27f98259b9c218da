"""Level, seed and number of draws have one home, and bounds that every option object keeps."""

import subprocess
import sys

import pytest

from evalkit import (
    AbadieImbens,
    ConleyTaberOptions,
    EffectOptions,
    InferenceOptions,
    PlaceboOptions,
    RandomisationOptions,
    TwoLevelOptions,
    Uncertainty,
    WildOptions,
)
from evalkit.core.draws import LEVEL, require_draws, require_level, require_seed
from evalkit.core.errors import DesignError
from evalkit.core.quantities import critical_value

DRAWN = [
    ConleyTaberOptions,
    EffectOptions,
    InferenceOptions,
    PlaceboOptions,
    RandomisationOptions,
    Uncertainty,
    WildOptions,
]


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_a_level_that_is_no_share_is_refused(level):
    with pytest.raises(DesignError, match="lies between 0 and 1"):
        require_level(level)


def test_a_level_below_the_least_is_refused_and_the_least_is_not():
    require_level(0.5, least=0.5)
    with pytest.raises(DesignError, match=r"between 0\.5 and 1, not at 0\.4"):
        require_level(0.4, least=0.5)


def test_so_few_draws_are_refused_and_the_fewest_are_not():
    require_draws(99)
    with pytest.raises(DesignError, match="98 draws are too few; at least 99"):
        require_draws(98)
    with pytest.raises(DesignError, match=r"whole numbers, not 99\.5"):
        require_draws(99.5)


def test_a_seed_below_zero_or_between_whole_numbers_is_refused():
    require_seed(0)
    for seed in (-1, 1.5):
        with pytest.raises(DesignError, match="whole number from 0 on"):
            require_seed(seed)


@pytest.mark.parametrize("options", [*DRAWN, AbadieImbens, TwoLevelOptions])
def test_every_option_object_has_the_usual_level_and_refuses_one_that_is_none(options):
    assert options().level == LEVEL
    with pytest.raises(DesignError, match="The level of an interval lies between"):
        options(level=1.0)


@pytest.mark.parametrize("options", DRAWN)
def test_every_option_object_with_draws_refuses_a_seed_that_is_none(options):
    with pytest.raises(DesignError, match="The seed of draws is a whole number from 0 on, not -1"):
        options(seed=-1)


def test_a_quantile_at_a_level_that_is_none_is_refused():
    with pytest.raises(DesignError, match=r"lies between 0 and 1, not at 1\.5"):
        critical_value(1.5)


def test_bounds_are_read_without_numpy():
    code = "import sys, evalkit.core.draws; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
