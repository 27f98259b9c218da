"""Numbers inside sentences stay numbers: withheld where they count few people, in full to Python."""

import copy
import pickle
from decimal import Decimal

import numpy as np
import pytest

from evalkit.core.disclosure import FEWEST_PEOPLE, FEWEST_PUBLISHED, whole
from evalkit.core.errors import EvalkitError
from evalkit.core.formats import as_sentence
from evalkit.core.sentence import Derived, Sentence, count, joined, named_people
from evalkit.report.border.disclosure import UNTYPED, told, told_where_typed


def lost(n: int, of: str = "units") -> Sentence:
    pupils = count(n, of, "pupil", among=40)
    share = Derived(f"{100 * n / 40:g}%", pupils, "a withheld share")
    return Sentence("{n} of {all}, {share}, are left out.", n=pupils, all=count(40, of), share=share)


def test_to_python_it_is_the_words_in_full():
    assert lost(3) == "3 pupils of 40, 7.5%, are left out."
    assert f"{lost(3)}" == "3 pupils of 40, 7.5%, are left out."


def test_a_small_count_is_withheld_with_what_is_derived_of_it():
    assert lost(3).written(10) == "Fewer than 10 pupils of 40, a withheld share, are left out."
    assert lost(10).written(10) == "10 pupils of 40, 25%, are left out."


def test_what_is_left_of_a_whole_must_not_be_few_either():
    # 35 of 40 are named, so that 5 are not
    assert lost(35).written(10) == "A withheld number of pupils of 40, a withheld share, are left out."


@pytest.mark.parametrize(("n", "is_told"), [(0, True), (1, False), (9, False), (10, True), (30, True), (31, False)])
def test_from_where_on_a_count_is_told(n, is_told):
    assert lost(n).is_told(FEWEST_PEOPLE) == is_told


def test_schools_are_exempt():
    assert lost(3, "schools").written(10) == lost(3, "schools")


def test_sentences_inside_sentences_keep_their_types_and_braces_are_words():
    both = joined("First.", lost(3), "", Sentence("Name: {name}.", name="{n}"))
    assert both == "First. 3 pupils of 40, 7.5%, are left out. Name: {n}."
    assert "7.5" not in both.written(10)
    for again in (pickle.loads(pickle.dumps(both)), copy.deepcopy(both)):
        assert again == both
        assert again.written(10) == both.written(10)


def test_the_border_refuses_what_has_lost_its_types():
    plain = lost(3) + " Look again."
    assert told(plain, FEWEST_PEOPLE) == UNTYPED
    assert told("No unit is left out.", FEWEST_PEOPLE) == "No unit is left out."
    assert told_where_typed(plain, FEWEST_PEOPLE) == plain
    assert "7.5" not in told(lost(3), FEWEST_PEOPLE)


def test_ids_are_people():
    assert Sentence("The first is {id}.", id=named_people("A1")).written(FEWEST_PEOPLE) == "The first is not named."


@pytest.mark.parametrize(
    "value", [3, np.int64(3), np.int32(3), np.uint8(3), 3.0, np.float32(3), Decimal(3), Decimal("3.0")]
)
def test_every_numeric_type_is_a_count(value):
    assert whole(value) == 3
    assert type(whole(value)) is int
    assert count(value).n == 3


@pytest.mark.parametrize(
    "value", [True, np.bool_(True), "3", 2.5, float("nan"), float("inf"), Decimal("NaN"), None, [3], -1]
)
def test_what_is_no_count_is_refused(value):
    if value != -1:
        assert whole(value) is None
    with pytest.raises(EvalkitError, match="whole number"):
        count(value)


def test_the_thresholds_have_one_home():
    from evalkit.core.project_parts import Disclosure
    from evalkit.run.tables.did_json import FEW

    assert (FEWEST_PUBLISHED, FEWEST_PEOPLE) == (6, 10)
    assert Disclosure().threshold == FEWEST_PUBLISHED
    assert FEW.reason == f"fewer than {FEWEST_PEOPLE}"


def test_a_full_stop_leaves_the_numbers_typed():
    made = as_sentence(Sentence("rows of {n} were left out", n=count(3, of="people", noun="person", nouns="people")))
    assert made == "Rows of 3 people were left out."
    assert made.written(10) == "Rows of fewer than 10 people were left out."
    assert as_sentence(Sentence("{n} lost!", n=count(3))).written(0) == "3 lost!"
