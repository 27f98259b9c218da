"""Which inference the numbers of treated and comparison clusters support."""

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.design.clusters import ClusterCounts, guarded, one_treated_cluster_reason, recommended_inference

CR2 = "CR2 with Satterthwaite degrees of freedom"


@pytest.mark.parametrize(
    ("n_treated", "n_comparison", "inference"),
    [
        (29, 29, "cluster-robust"),
        (100, 2000, "cluster-robust"),
        (28, 2000, CR2),
        (2000, 28, CR2),
        (3, 3, CR2),
        (2, 80, "Conley–Taber"),
        (2, 79, "randomisation inference"),
        (2, 5, "randomisation inference"),
        (2, 4, "unavailable"),
        (40, 2, "randomisation inference"),
        (1, 151, "Conley–Taber"),
        (1, 40, "Conley–Taber"),
        (1, 39, "randomisation inference"),
        (1, 19, "randomisation inference"),
        (1, 18, "unavailable"),
        (19, 1, "randomisation inference"),
        (0, 50, "unavailable"),
        (50, 0, "unavailable"),
    ],
)
def test_the_rule(n_treated, n_comparison, inference):
    found = recommended_inference(ClusterCounts(n_treated, n_comparison))
    assert found.inference == inference


def test_the_reason_is_a_sentence_with_the_numbers():
    reason = recommended_inference(ClusterCounts(1, 151), "area").reason
    assert reason.startswith(
        "With 1 treated area and 151 comparison areas, errors clustered by area do not hold their level"
    )
    reason = recommended_inference(ClusterCounts(6, 40)).reason
    assert "6 treated clusters and 40 comparison clusters" in reason
    assert "few clusters are treated" in reason
    assert "few clusters are comparison" in recommended_inference(ClusterCounts(40, 6)).reason
    # 6!/(4! 2!) = 15 assignments, the smallest p-value 1/15 = 0.07.
    assert "15 ways" in recommended_inference(ClusterCounts(2, 4)).reason
    assert "0.07" in recommended_inference(ClusterCounts(2, 4)).reason


@pytest.mark.parametrize(
    ("n_treated", "n_comparison", "said"),
    [
        (1, 50, "Only one area is treated"),
        (50, 1, "Only one area is comparison"),
        (0, 50, "There is no treated area"),
        (50, 0, "There is no comparison area"),
    ],
)
def test_one_cluster_gives_no_error(n_treated, n_comparison, said):
    counts = ClusterCounts(n_treated, n_comparison)
    assert one_treated_cluster_reason(counts, "area").startswith(said)
    found = guarded(counts, 0.5, "area")
    assert isinstance(found, Unavailable)
    assert found.reason.startswith(said)


def test_two_of_each_pass_the_guard():
    assert one_treated_cluster_reason(ClusterCounts(2, 2)) is None
    assert guarded(ClusterCounts(2, 2), 0.5) == 0.5


def test_counts_are_not_negative():
    with pytest.raises(DesignError, match="counted from 0"):
        ClusterCounts(-1, 3)
