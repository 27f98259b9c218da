"""Any noun becomes the plain data of JSON in one way, wherever it is written."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
import pytest

from evalkit.core.errors import EvalkitError
from evalkit.core.plain import json_text, plain, plain_or_reason
from evalkit.core.quantities import Estimate, Interval, Unavailable
from evalkit.core.sentence import Sentence, count


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Nest:
    interval: Interval
    why: Unavailable
    colour: Colour


NEST = Nest(Interval(-1.0, 2.0, 0.9), Unavailable("No error."), Colour.RED)


@pytest.mark.parametrize("made", [plain, plain_or_reason])
def test_nouns_inside_nouns_are_written_part_by_part(made):
    assert made({"a": (NEST,)}) == {
        "a": [
            {
                "interval": {"lower": -1.0, "upper": 2.0, "level": 0.9},
                "why": {"unavailable": "No error."},
                "colour": "red",
            }
        ]
    }
    assert made(Estimate(1.0, Unavailable("None."), 3.0)) == {
        "value": 1.0,
        "std_error": {"unavailable": "None."},
        "df": 3.0,
    }


@pytest.mark.parametrize("made", [plain, plain_or_reason])
def test_arrays_and_their_numbers_are_those_of_python(made):
    assert made(np.array([[1.5, 2.0]])) == [[1.5, 2.0]]
    assert type(made(np.float64(1.5))) is float
    assert made(date(2019, 9, 1)) == "2019-09-01"
    assert made(Sentence("{n} are left out.", n=count(12))) == "12 are left out."


@pytest.mark.parametrize("lacking", [None, float("nan"), float("inf"), object()])
def test_of_results_nothing_may_lack_without_a_reason(lacking):
    with pytest.raises(EvalkitError, match="please report this"):
        plain([lacking])


def test_the_answer_to_a_command_gives_a_reason_in_the_place_of_no_number():
    assert plain_or_reason([None, float("-inf")]) == [
        None,
        {"unavailable": "The calculation gave no finite number."},
    ]


def test_json_holds_nothing_that_a_terminal_obeys():
    assert json_text({"name": "a\x1b[2J\x9b1m – ü"}) == '{\n  "name": "a\\u001b[2J\\u009b1m – ü"\n}'
    with pytest.raises(ValueError, match="JSON"):
        json_text([float("nan")])
