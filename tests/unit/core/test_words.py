"""What a message suggests is what was meant: for ids a slip of one digit, for words what looks alike."""

import pytest

from evalkit.core.words import did_you_mean, nearest, possessive

IDS = [str(number) for number in range(100000, 100060)] + ["100250", "007"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("100025.0", "100025"),
        (" 100025 ", "100025"),
        ("7", "007"),
        ("110025", "100025"),
        ("1002500", "100250"),
        ("010025", "100025"),
        ("120535", None),
        ("999999", None),
        ("10250", "100250"),
    ],
)
def test_an_id_is_near_where_one_slip_explains_it(word, meant):
    assert nearest(word, IDS) == ([meant] if meant else [])


def test_words_are_near_where_they_look_alike():
    assert did_you_mean("readprog", ["READPROG", "MATPROG"]) == " Did you mean 'READPROG'?"
    assert did_you_mean("covariate", ["covariates", "cohort"]) == " Did you mean 'covariates'?"
    assert did_you_mean("zzz", ["covariates"]) == ""


def test_an_owner_whose_name_ends_in_s_takes_an_apostrophe_alone():
    assert (possessive("Knowsley"), possessive("St. Helens")) == ("Knowsley's", "St. Helens'")
