"""The What Works Clearinghouse's standard for baseline differences has one home, for projects and for tables."""

import math

import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.appraisal.scales import baseline_category
from evalkit.diagnose.matched.balance_arrays import ratio
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED, WwcClass, wwc_class

CLASSES = [
    (0.0, WwcClass.SATISFIED, "satisfied"),
    (-0.05, WwcClass.SATISFIED, "satisfied"),
    (0.051, WwcClass.NEEDS_ADJUSTMENT, "adjust"),
    (-0.25, WwcClass.NEEDS_ADJUSTMENT, "adjust"),
    (0.251, WwcClass.NOT_SATISFIED, "fails"),
]


@pytest.mark.parametrize(("difference", "kind", "word"), CLASSES)
def test_a_difference_has_one_class_in_both_kinds_of_report(difference, kind, word):
    assert wwc_class(difference) is kind
    assert baseline_category(difference) == word


def test_a_difference_that_is_not_known_has_no_category():
    assert baseline_category(Unavailable("One school.")) == "not known"


def test_bounds_read_in_sentences_as_the_standard_writes_them():
    assert (f"{SATISFIED}", f"{ADJUSTABLE}") == ("0.05", "0.25")


def test_a_ratio_needs_a_spread():
    assert ratio(1.0, 4.0) == 0.25
    assert math.isnan(ratio(1.0, 0.0))
    assert math.isnan(ratio(1.0, math.nan))
