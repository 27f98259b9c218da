"""Covariates that say nothing of their own: refused by name, in every method and estimator."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.algebra_arrays import dependence
from evalkit.design.matching.match import match
from evalkit.design.matching.options import (
    CovariateBalancing,
    EntropyBalancing,
    FullMatching,
    InverseProbability,
    NearestNeighbour,
    OptimalMatching,
    Subclassification,
)

METHODS = (
    NearestNeighbour(),
    NearestNeighbour(distance="mahalanobis"),
    OptimalMatching(),
    FullMatching(),
    Subclassification(n_subclasses=2),
    EntropyBalancing(),
    InverseProbability(),
    CovariateBalancing(),
)


def units(**columns):
    n = 12
    random = np.random.default_rng(2)
    table = pd.DataFrame({"treated": [1, 0, 0] * 4, "x": random.normal(size=n).round(1), "shared": [5, 6] * 6})
    table = table.assign(**columns)
    return Baseline.from_frame(table, BaselineRoles(treated="treated", covariates=("x", *columns)))


@pytest.mark.parametrize("value", ["North", 5, 0.1 + 0.2])
@pytest.mark.parametrize("option", METHODS, ids=lambda one: type(one).__name__)
def test_a_covariate_of_one_value_is_refused_where_it_would_be_weighed(option, value):
    with pytest.raises(DesignError, match="The covariate 'region' has the same value for every unit"):
        match(units(region=[value] * 12), option)


def test_several_covariates_of_one_value_are_all_named():
    with pytest.raises(DesignError, match="The covariates 'region' and 'size' each have the same value"):
        match(units(region=["N"] * 12, size=[3] * 12), NearestNeighbour())


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (lambda x, w: [x, w], None),
        (lambda x, w: [x, 2 * x], (1, (0,))),
        (lambda x, w: [x, w, x + w], (2, (0, 1))),
        (lambda x, w: [w, x, 0 * x], (2, ())),
    ],
)
def test_a_column_that_follows_from_others_is_found_with_them(columns, expected):
    random = np.random.default_rng(5)
    table = np.column_stack(columns(*random.normal(size=(2, 40))))
    spread = table.std(axis=0)
    assert dependence((table - table.mean(axis=0)) / np.where(spread > 0, spread, 1)) == expected
