"""What must not change a matched design: row order, other names, other units of covariates, anything of the outcome."""

import inspect
import typing

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import (
    CovariateCaliper,
    FullMatching,
    NearestNeighbour,
    OptimalMatching,
    PairRules,
    ProfileMatching,
)

ROLES = BaselineRoles(treated="treated", covariates=("age", "wage", "town"), unit="id", labels=("area",))
RULES = {"exact": ("area",), "caliper": 1.5, "calipers": {"age": CovariateCaliper(width=2.0)}}
OPTIONS = {
    "nearest": NearestNeighbour(),
    "nearest probit ratio": NearestNeighbour(distance="probit", ratio=2),
    "nearest replacement": NearestNeighbour(replacement=True, ratio=3),
    "nearest rules": NearestNeighbour(**RULES, reuse_limit=2),
    "nearest area first": NearestNeighbour(within_first="area", order="closest"),
    "nearest mahalanobis": NearestNeighbour(distance="mahalanobis", ratio=2),
    "nearest robust": NearestNeighbour(distance="robust-mahalanobis", anti_exact=("area",)),
    "nearest euclidean": NearestNeighbour(distance="euclidean", replacement=True),
    "optimal": OptimalMatching(),
    "optimal ratio": OptimalMatching(distance="mahalanobis", ratio=2),
    "optimal rules": OptimalMatching(**RULES),
    "full": FullMatching(),
    "full bounds": FullMatching(fewest=0.5, most=6),
    "full rules": FullMatching(**RULES, common_support="both"),
    "profile": ProfileMatching(tolerance=0.1),
}


def made() -> pd.DataFrame:
    """Ninety units, 25 of them treated, with covariates that tie and an outcome beside them."""
    random = stream(20241, "matching properties")
    n = 90
    age, town = random.integers(20, 45, n), random.choice(["bay", "hill", "vale"], n)
    wage = np.round(random.lognormal(6, 0.5, n), 1)
    lean = -0.05 * (age - 30) + 0.4 * (town == "hill") + random.normal(size=n)
    frame = pd.DataFrame({"id": np.arange(101, 101 + n), "age": age, "wage": wage, "town": town})
    frame["treated"] = (np.argsort(np.argsort(-lean)) < 25).astype(int)
    frame["area"] = random.choice(["north", "south"], n)
    frame["outcome"] = 5.0 + age + random.normal(size=n)
    return frame


FRAME = made()


def matched(frame: pd.DataFrame, option) -> MatchedDesign:
    return match(Baseline.from_frame(frame, ROLES), option)


def in_bytes(design: MatchedDesign) -> bytes:
    """Everything a design says, to the last bit."""
    arrays = [design.weights, design.discarded]
    arrays += [one for one in (design.strata, design.score) if one is not None]
    if design.pairs is not None:
        arrays += [design.pairs.treated, design.pairs.comparison, design.pairs.distance]
    said = [
        *design.notes,
        str(design.estimand),
        design.pair_table().to_csv(),
        ",".join(map(str, design.baseline.units.index)),
    ]
    return b"|".join([one.tobytes() for one in arrays] + [text.encode() for text in said])


@pytest.fixture(scope="module")
def plain() -> dict[str, MatchedDesign]:
    return {name: matched(FRAME, option) for name, option in OPTIONS.items()}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("order", ["shuffled", "reversed"])
def test_the_order_of_rows_changes_nothing(plain, name, order):
    frame = FRAME[::-1] if order == "reversed" else FRAME.sample(frac=1, random_state=1)
    assert in_bytes(matched(frame, OPTIONS[name])) == in_bytes(plain[name])


@pytest.mark.parametrize("name", OPTIONS)
def test_other_names_in_the_same_order_change_nothing_but_names(plain, name):
    """Numbers 101 … 190 become texts S1 … S90, which sort by length and then by letter."""
    renamed = matched(FRAME.assign(id=[f"S{number - 100}" for number in FRAME["id"]]), OPTIONS[name])
    assert renamed.weights.tobytes() == plain[name].weights.tobytes()
    said, expected = renamed.pair_table(), plain[name].pair_table()
    for column in ("treated", "comparison"):
        assert said[column].tolist() == [f"S{number - 100}" for number in expected[column]]


@pytest.mark.parametrize("name", OPTIONS)
def test_other_units_of_covariates_change_nothing(plain, name):
    """Ages in months since birth plus a year, wages in pence: the pairs are the same, distances but for rounding.

    The factors are powers of two or whole, so that ties stay ties where the distance itself is one of covariates.
    """
    changed = matched(FRAME.assign(age=FRAME["age"] * 16 + 32, wage=FRAME["wage"] * 1024), OPTIONS[name])
    np.testing.assert_allclose(changed.weights, plain[name].weights, rtol=1e-9)
    if changed.pairs is not None:
        assert changed.total_distance == pytest.approx(plain[name].total_distance, rel=1e-7)
        assert changed.pair_table()["comparison"].tolist() == plain[name].pair_table()["comparison"].tolist()


@pytest.mark.parametrize("name", OPTIONS)
def test_the_callers_frame_stays_as_it_is(name):
    frame = FRAME.copy(deep=True)
    design = matched(frame, OPTIONS[name])
    design.weights[:] = 7.0
    pd.testing.assert_frame_equal(frame, FRAME)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_outcome_is_not_seen(plain, name):
    """Permuted, made a text or left out, the outcome leaves a design as it is to the last bit."""
    shuffled = FRAME["outcome"].sample(frac=1, random_state=2).to_numpy()
    for frame in (FRAME.assign(outcome=shuffled), FRAME.assign(outcome="secret"), FRAME.drop(columns="outcome")):
        assert in_bytes(matched(frame, OPTIONS[name])) == in_bytes(plain[name])


def test_there_is_no_place_for_an_outcome():
    """`match` takes a baseline, an option and a target; neither of the first two has a field for an outcome."""
    assert list(inspect.signature(match).parameters) == ["baseline", "option", "target"]
    assert typing.get_type_hints(match)["baseline"] is Baseline
    assert set(Baseline.__slots__) == {"units", "covariates", "years", "first_treated"}
    for option in (PairRules, NearestNeighbour, OptimalMatching, FullMatching, ProfileMatching):
        assert not [name for name in inspect.signature(option).parameters if "outcome" in name or "follow" in name]
    with pytest.raises(TypeError):
        match(matched(FRAME, NearestNeighbour()).baseline, NearestNeighbour(), outcome=FRAME["outcome"])


def test_a_follow_up_year_is_no_baseline():
    frame = FRAME.set_index("id")
    units, covariates = frame[["treated"]].rename(columns={"treated": "is_treated"}).astype(bool), frame[["age"]]
    with pytest.raises(DesignError, match="may not hold the follow-up year 2018"):
        Baseline(units, covariates, years=(2016, 2018), first_treated=2018)


@pytest.mark.parametrize(
    "name", [name for name in OPTIONS if name.startswith(("nearest", "full")) and "bounds" not in name]
)
def test_every_arm_may_be_the_target(name):
    """With treated and comparison units exchanged the ATC is what the ATT was."""
    turned = matched(FRAME.assign(treated=1 - FRAME["treated"]), OPTIONS[name])
    design = match(Baseline.from_frame(FRAME, ROLES), OPTIONS[name], "ATC")
    np.testing.assert_allclose(design.weights, turned.weights, rtol=1e-9)
    assert design.estimand.value.removeprefix("ATC") == turned.estimand.value.removeprefix("ATT")
