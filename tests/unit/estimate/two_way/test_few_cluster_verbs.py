"""Wild bootstrap, randomisation and Conley–Taber on panels: by hand, guards and reproducibility."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.estimate.two_way.conley_taber import ConleyTaberOptions, conley_taber
from evalkit.estimate.two_way.randomisation import RandomisationOptions, randomisation_test
from evalkit.estimate.two_way.recommended import WildOptions, wild_bootstrap

ROLES = {"unit": "unit", "period": "period", "outcome": "y", "cohort": "cohort"}


def changes(treated, comparison, **columns):
    """Return a two-period panel whose units change by the numbers given, treated in the second period."""
    values = [*treated, *comparison]
    frame = pd.DataFrame({"unit": np.repeat(np.arange(len(values)), 2), "period": [1, 2] * len(values)})
    frame["y"] = np.array(values)[frame["unit"]] * (frame["period"] == 2)
    frame["cohort"] = np.where(frame["unit"] < len(treated), 2.0, np.nan)
    return frame.assign(**{name: np.array(value)[frame["unit"]] for name, value in columns.items()})


def panel(frame, **roles):
    return Panel.from_frame(frame, Roles(**(ROLES | roles)))


def test_randomisation_by_hand():
    # Pairs of 3, 5, 1, 1 treated: effects 3, −1, −1, 1, 1, −3 (own pair first): two of six are at least as large as 3.
    found = randomisation_test(panel(changes([3, 5], [1, 1])))
    assert found.estimate == pytest.approx(3)
    assert (found.n_assignments, found.is_enumerated, found.smallest_p) == (6, True, 1 / 6)
    assert found.inference.p_value == pytest.approx(2 / 6)
    assert isinstance(found.inference.interval, Unavailable)
    assert isinstance(found.inference.std_error, Unavailable)


def test_strata_are_kept():
    # One treated in each of two pairs: 2 × 2 assignments; effects (3 + 5)/2 − 1, 1 − ... : 3, 1, −1, −3: two of four.
    found = randomisation_test(panel(changes([3, 5], [1, 1])), RandomisationOptions(strata={0: 1, 1: 2, 2: 1, 3: 2}))
    assert found.n_assignments == 4
    assert found.inference.p_value == pytest.approx(2 / 4)


def test_the_randomisation_interval_holds_what_is_not_rejected():
    random = np.random.default_rng(4)
    frame = changes(random.normal(1, 1, 4), random.normal(0, 1, 8))
    interval = randomisation_test(panel(frame), RandomisationOptions(level=0.9)).inference.interval
    for end, outward in ((interval.lower, -1), (interval.upper, 1)):
        for step, is_kept in ((-1e-4, True), (1e-4, False)):
            moved = frame.assign(y=frame["y"] - (end + outward * step) * (frame["period"] >= frame["cohort"]))
            assert (randomisation_test(panel(moved)).inference.p_value > 0.1) == is_kept


def test_whole_areas_change_places():
    # Areas of two units each: 3 and 5 are in the one treated area, so that there are three assignments, not fifteen.
    frame = changes([3, 5], [1, 1, 0, 0], area=[7, 7, 8, 8, 9, 9])
    assert randomisation_test(panel(frame, cluster="area")).n_assignments == 3
    assert randomisation_test(panel(frame, cluster="area"), RandomisationOptions(over="unit")).n_assignments == 15


def test_an_area_with_two_cohorts_is_refused():
    frame = changes([3, 5], [1, 1], area=[7, 8, 7, 9])
    with pytest.raises(DesignError, match="Cluster 7 has units of more than one cohort"):
        randomisation_test(panel(frame, cluster="area"))


def test_a_cluster_without_a_stratum_is_refused():
    with pytest.raises(DesignError, match="3 has no stratum"):
        randomisation_test(panel(changes([3, 5], [1, 1])), RandomisationOptions(strata={0: 1, 1: 2, 2: 1}))


def test_one_assignment_is_no_comparison():
    strata = {0: "a", 1: "a", 2: "b", 3: "b"}
    with pytest.raises(DesignError, match="does not differ within periods"):
        randomisation_test(panel(changes([3, 5, 1, 1], [])), RandomisationOptions(strata=strata))
    found = randomisation_test(panel(changes([3, 5], [1, 1])), RandomisationOptions(strata=strata))
    assert "No other assignment" in found.inference.p_value.reason


def test_conley_taber_by_hand():
    # Change 5 against 0, 1, 2: the effect is 4, the residual changes −1, 0, 1 (see test_placebo_sums).
    found = conley_taber(panel(changes([5], [0, 1, 2])))
    assert found.estimate == pytest.approx(4)
    assert sorted(found.products.ravel().round(12).tolist()) == [-1, 0, 1]
    assert (found.p_absolute, found.p_equal_tailed, found.n_draws) == (1 / 4, 2 / 4, 3)
    assert isinstance(found.size_p, Unavailable)
    assert "at least 19" in found.inference.interval.reason


def noisy(seed, n_treated=2, n_comparison=80, own=(30.0, 60.0), is_by_size=True):
    """Comparison clusters of 5 to 100, whose changes vary by 1/size or not at all by size."""
    random = np.random.default_rng(seed)
    sizes = np.concatenate([own, random.uniform(5, 100, n_comparison)])
    deviation = 5 / np.sqrt(sizes) if is_by_size else np.ones(len(sizes))
    values = random.normal(size=len(sizes)) * deviation
    return changes(values[:n_treated], values[n_treated:]), dict(enumerate(sizes.tolist()))


def test_residuals_that_vary_with_size_are_rescaled():
    frame, sizes = noisy(1)
    found = conley_taber(panel(frame), ConleyTaberOptions(sizes=sizes))
    plain = conley_taber(panel(frame), ConleyTaberOptions(sizes=sizes, correction="never"))
    assert found.size_p < 0.01
    assert (found.is_rescaled, plain.is_rescaled) == (True, False)
    # The treated clusters are of 30 and 60: the smaller one's row is spread more widely than the larger one's.
    assert found.products[0].std() > 1.2 * found.products[1].std()
    assert plain.products[0].std() == pytest.approx(plain.products[1].std())


def test_residuals_that_do_not_vary_with_size_are_left():
    frame, sizes = noisy(2, is_by_size=False)
    found = conley_taber(panel(frame), ConleyTaberOptions(sizes=sizes))
    assert found.size_p > 0.1
    assert not found.is_rescaled
    assert isinstance(found.inference.interval, Interval)


def test_a_treated_cluster_far_outside_the_sizes_is_refused():
    frame, sizes = noisy(1, own=(30.0, 900.0))
    found = conley_taber(panel(frame), ConleyTaberOptions(sizes=sizes))
    assert "a treated cluster of size 900 is far outside" in found.inference.p_value.reason
    assert isinstance(found.p_absolute, Unavailable)
    assert found.size_p < 0.1


def test_sizes_are_the_weights_where_none_are_given():
    frame, sizes = noisy(1)
    weighted = frame.assign(w=frame["unit"].map(sizes))
    assert conley_taber(panel(weighted, weight="w")).size_p < 0.05


@pytest.mark.parametrize(("sizes", "message"), [({0: 1.0}, "1 has no size"), ({0: 1.0, 1: 0.0}, "positive number")])
def test_sizes_that_cannot_be_used_are_refused(sizes, message):
    with pytest.raises(DesignError, match=message):
        conley_taber(panel(changes([5], [0])), ConleyTaberOptions(sizes=sizes))


def test_a_comparison_cluster_with_a_gap_is_refused():
    frame = pd.concat([changes([5], [0, 1, 2]), pd.DataFrame({"unit": [9], "period": [1], "y": [0.0]})])
    with pytest.raises(DesignError, match="Comparison cluster 9 is not seen in every period"):
        conley_taber(panel(frame))


def test_wild_bootstrap_by_hand():
    # See test_wild: 2 of 16 vectors.
    found = wild_bootstrap(panel(changes([3, 5], [1, 1])))
    assert (found.n_vectors, found.is_enumerated, found.inference.p_value) == (16, True, 2 / 16)


def test_wild_bootstrap_with_one_treated_cluster_is_unavailable():
    found = wild_bootstrap(panel(changes([3], [1, 2, 0, 1, 5])))
    assert found.estimate == pytest.approx(3 - 9 / 5)
    assert "Only one cluster is treated" in found.inference.p_value.reason


def test_nothing_to_compare_with_is_unavailable():
    frame = changes([5, 4, 2], [3])
    frame["cohort"] = [2.0] * 4 + [3.0] * 4
    frame = pd.concat([frame, frame[frame["period"] == 2].assign(period=3)])
    assert "Every cluster is treated" in conley_taber(panel(frame)).p_absolute.reason


@pytest.mark.parametrize("verb", [wild_bootstrap, randomisation_test, conley_taber])
def test_an_outcome_that_never_changes_is_unavailable(verb):
    assert "fits every observation exactly" in verb(panel(changes([0, 0], [0, 0, 0]))).inference.p_value.reason


@pytest.mark.parametrize(
    ("verb", "options"),
    [(wild_bootstrap, WildOptions), (randomisation_test, RandomisationOptions), (conley_taber, ConleyTaberOptions)],
)
def test_one_seed_one_number(verb, options):
    random = np.random.default_rng(1)
    made = panel(changes(random.normal(0.5, 1, 8), random.normal(size=25)))
    one, again, other = (verb(made, options(n_draws=199, seed=seed)).inference for seed in (1, 1, 2))
    assert one == again
    assert one.p_value != other.p_value


@pytest.mark.parametrize(
    ("verb", "options"), [(wild_bootstrap, WildOptions), (randomisation_test, RandomisationOptions)]
)
def test_more_draws_than_memory_holds_are_refused(verb, options):
    random = np.random.default_rng(1)
    made = panel(changes(random.normal(size=20), random.normal(size=20)))
    with pytest.raises(DesignError, match="are too many to hold"):
        verb(made, options(n_draws=10_000_000))


@pytest.mark.parametrize("options", [WildOptions, RandomisationOptions, ConleyTaberOptions])
def test_too_few_draws_and_odd_levels_are_refused(options):
    with pytest.raises(DesignError, match="9 draws are too few"):
        options(n_draws=9)
    with pytest.raises(DesignError, match="not at 95"):
        options(level=95)
