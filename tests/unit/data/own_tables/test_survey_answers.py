"""Answers as arrays: reversed items turned round, scores of half the items, and clear refusals."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.own_tables.people_table import PeopleRows
from evalkit.data.own_tables.survey_answers import Item, Scale, answers_of

POINTS = {str(point): f"point {point}" for point in range(1, 6)}
CLIMATE = Scale(
    name="climate",
    label="Climate",
    items=(Item(column="q1", text="calm"), Item(column="q2", text="noisy", reversed=True), Item(column="q3", text="c")),
    points=POINTS,
)


def rows_of(**columns):
    n = len(columns["q1"])
    return PeopleRows(
        units=pd.Index(["a", "b"]),
        unit=np.arange(n) % 2,
        person=np.arange(n),
        period=np.repeat([2008, 2009], [n - 1, 1]),
        values={name: np.array(values, dtype=float) for name, values in columns.items()},
    )


def answered(rows, waves=(2008, 2009)):
    return answers_of(rows, [CLIMATE], waves, "answers.csv")


def test_reversed_items_are_turned_round_and_half_the_items_make_a_score():
    nothing = np.nan
    found = answered(rows_of(q1=[4, 5, nothing, nothing], q2=[2, nothing, 3, nothing], q3=[4, 3, nothing, nothing]))
    assert found.values["climate"][0].tolist() == [4.0, 4.0, 4.0]  # 1 + 5 − 2
    # two of three make a score, one of three none
    assert found.score("climate")[:2].tolist() == [4.0, 4.0]
    assert np.isnan(found.score("climate")[2:]).all()
    assert found.responded.tolist() == [True, True, True, False]
    assert found.wave.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("q1", "says"),
    [([4, 7, 7], "holds 7 (2 such rows)"), ([4, 2.5, 1], "holds 2.5 (1 such row)"), ([0, 1, 1], "holds 0 (1 such")],
)
def test_an_answer_that_is_no_point_is_refused_with_its_item(q1, says):
    with pytest.raises(DataError, match="which is no point of its scale: 1, 2, 3, 4") as told:
        answered(rows_of(q1=q1, q2=[1, 1, 1], q3=[1, 1, 1]))
    assert "answers.csv: the item 'q1' " + says in str(told.value)


def test_waves_must_be_those_of_the_table():
    rows = rows_of(q1=[1, 1], q2=[1, 1], q3=[1, 1])
    with pytest.raises(DataError, match="no row of the wave 2010; its waves are 2008 and 2009"):
        answered(rows, (2009, 2010))
    with pytest.raises(DataError, match="1 row of 2009, which is none of the waves 2008"):
        answered(rows, (2008,))
