"""Names of schools are compared by what tells them apart."""

import pytest

from evalkit.data.published.known_schools import NameIndex, alike

NAMES = {"1": "Plover Primary School", "2": "St Anne's Catholic Primary School", "3": "Plover Lane Infant School"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("St Aidan's Catholic Primary School", "St Luke's Catholic Primary School", False),
        ("St", "St Aidan's Catholic Primary School", False),
        ("St Aidan's Catholic Primary", "St Aidan's Catholic Primary School", True),
        ("ST AIDANS R.C. PRIMARY", "St Aidan\u2019s Catholic Primary School", True),
        ("Huyton with Roby CofE", "Huyton With Roby Church of England Primary School", True),
        ("Huyton C of E (VA) Primary", "Huyton Church of England Voluntary Aided Primary School", True),
        ("Ste Thérèse Primary", "Ste Therese Primary School", True),
        ("Malvren Primary", "Malvern Primary School", True),
        ("St Annes", "St Anne's Catholic Primary School", True),
        ("St James", "St James' Church of England Primary School", True),
        ("Plover Infant School", "Plover Junior School", False),
        ("Plover Infants'", "Plover Primary School", True),
        ("Park View Primary", "Park Brow Primary", False),
        ("The Academy", "The Academy", True),
    ],
)
def test_names_are_alike_by_their_telling_words(one, other, expected):
    assert alike(one, other) == expected
    assert alike(other, one) == expected


@pytest.mark.parametrize(
    ("name", "found"), [("Plover", "1"), ("St Annes RC", "2"), ("Plovr Prim.", "1"), ("Xyz", None)]
)
def test_candidates_are_the_likest_names(name, found):
    assert next(iter(NameIndex.of(NAMES).candidates(name)), None) == found


def test_candidates_of_the_same_areas_come_first():
    names = {"1": "Plover Primary School", "2": "Plover Primary School"}
    assert NameIndex.of(names).candidates("Plover", near=["2"]) == ["2", "1"]
