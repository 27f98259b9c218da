"""The sentence of a synthetic control: bounded by what it assumes, and by what is known."""

from dataclasses import replace

import pytest

from evalkit.core.formats import Precision
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.design.panel.area_design import area_design
from evalkit.estimate.synthetic.control import synthetic_control
from evalkit.report.tables.synthetic import gaps, synthetic_words
from evalkit.report.words.synth import effect_sentence
from tests.synth_command import simulated


@pytest.fixture(scope="module")
def found():
    series = AreaSeries.from_frame(simulated(), AreaRoles(unit="area", period="year", outcome="score"))
    return synthetic_control(area_design(series, ("000",), 2016))


TWO = Precision(2)


def test_without_an_interval_it_names_the_method(found):
    assert effect_sentence(replace(found, estimate=3.0), TWO) == (
        "From 2016 on 'score' in the treated area was on average 3.00 higher than in the synthetic one (synthetic "
        "control), an effect if without the programme it would have moved as the weighted donors did."
    )


def test_an_interval_says_where_it_is_from(found):
    said = effect_sentence(replace(found, estimate=-3.0), TWO, Interval(-4.0, -1.0, 0.9), "placebos")
    assert "3.00 lower than in the synthetic one (90% interval −4.00 to −1.00, from placebos), an effect if" in said


def test_an_interval_that_cannot_be_given_leaves_the_sentence_whole(found):
    said = effect_sentence(replace(found, estimate=3.0), TWO, Unavailable("Too few periods."))
    assert "3.00 higher than in the synthetic one, an effect if" in said


def test_what_rounds_to_zero_is_neither_higher_nor_lower(found):
    assert "was on average as in the synthetic one (" in effect_sentence(replace(found, estimate=-0.001), TWO)


def test_no_estimate_has_its_reason(found):
    none = replace(found, estimate=Unavailable("No average of these donors is like it."))
    assert effect_sentence(none, TWO) == "No estimate is shown. No average of these donors is like it."


def test_a_notebook_says_the_same_sentence_and_shows_gaps_without_tests(found):
    assert "(synthetic control), an effect if" in synthetic_words(found).sentences[0]
    assert [column.key for column in gaps(found).table.columns] == ["period", "treated", "synthetic", "gap"]
