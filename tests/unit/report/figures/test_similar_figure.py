"""The strip of a list of similar units: every distance that may be told, and no other."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.profiles import ProfileRoles, Profiles
from evalkit.design.similar import SimilarOptions, similar_units
from evalkit.report.figures.similar import MOST_DRAWN, similar_strip
from evalkit.report.tables.similar import closest, list_losses, similar


@pytest.fixture(scope="module")
def profiles():
    random = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "urn": [f"{at}" for at in range(60)],
            "school": [f"School {at}" for at in range(60)],
            "fsm": random.normal(30, 10, 60),
            "n": random.integers(1, 30, 60),
        }
    )
    return Profiles.from_frame(frame, ProfileRoles(unit="urn", characteristics=("fsm", "n"), name="school"))


def test_the_strip_holds_the_distances_of_the_list(profiles):
    listing = similar(similar_units(profiles, SimilarOptions(n=30), "0"), "0")
    figure = similar_strip(listing)
    assert [row[:2] for row in figure.data.table.rows] == [(row[2], row[-1]) for row in listing.table.rows[1:]]
    assert f"The nearest {MOST_DRAWN} are drawn." in figure.alt
    assert "Most like School 0" in figure.caption
    assert figure.png.startswith(b"\x89PNG")


def test_a_distance_that_is_withheld_is_not_drawn(profiles):
    listing = similar(similar_units(profiles, SimilarOptions(n=59, pupils=("n",)), "0"), "0", ("n",))
    told = [row for row in listing.table.rows[1:] if isinstance(row[-1], float)]
    figure = similar_strip(listing)
    assert len(figure.data.table.rows) == len(told)
    assert 0 < len(told) < 59
    assert f"{59 - len(told)} distances withheld." in figure.alt


def test_a_list_of_no_distance_says_so():
    frame = pd.DataFrame({"urn": list("abcd"), "n": [1, 20, 30, 40]})
    profiles = Profiles.from_frame(frame, ProfileRoles(unit="urn", characteristics=("n",)))
    # a's own count is small, so that every distance from it rests on a stand-in
    listing = similar(similar_units(profiles, SimilarOptions(n=3, pupils=("n",)), "a"), "a", ("n",))
    figure = similar_strip(listing)
    assert figure.alt == "Nothing is drawn. No distance may be shown."
    assert figure.data.table.rows == ()


def test_every_unit_is_counted_once_by_how_close_its_nearest_is(profiles):
    found = similar_units(profiles, SimilarOptions(n=5))
    table = closest(found).table
    assert sum(row[1] for row in table.rows) == 60
    nearest = found.distance[:, 0]
    # up to 0.25 SDs a unit is very close
    assert table.rows[0] == ("very close", int((nearest <= 0.25).sum()))
    assert list_losses(found).sentences == ()
