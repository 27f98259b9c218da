"""Similar units: distances worked by hand, agreement with a plain search, ties, labels, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.data.profiles import ProfileRoles, Profiles
from evalkit.design import similar as kernel
from evalkit.design.similar import SimilarOptions, closeness, similar_units
from evalkit.report.tables.similar import similar

ROLES = ProfileRoles(unit="id", characteristics=("fsm", "size"), labels=("phase", "area"), name="school")


def schools():
    # fsm has mean 20 and SD 10 over the five (10, 10, 20, 30, 30); size is 1, 1, 2, 3, 3: mean 2, SD 1.
    return pd.DataFrame(
        {
            "id": ["S1", "S2", "S3", "S4", "S10"],
            "school": ["Ash", "Beech", "Cedar", "Damson", "Elm"],
            "fsm": [10.0, 10.0, 20.0, 30.0, 30.0],
            "size": [1, 1, 2, 3, 3],
            "phase": ["p", "p", "p", "s", "p"],
            "area": ["A", "A", "B", "B", "C"],
        }
    )


def many(n=500, seed=3):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": draw.permutation(n),
            "a": draw.normal(size=n),
            "b": draw.normal(5, 10, size=n).round(),
            "kind": draw.choice(["x", "y", "z"], n),
            "phase": draw.choice(["p", "s"], n),
            "area": draw.choice(list("ABCDEFG"), n),
        }
    )


MANY = ProfileRoles(unit="id", characteristics=("a", "b", "kind"), labels=("phase", "area"))
RULES = SimilarOptions(weights={"a": 2.5}, n=12, same=("phase",), not_same=("area",))


def ids(found, unit):
    return [found.profiles.units[one.position] for one in found.of(unit)]


def test_distances_by_hand():
    profiles = Profiles.from_frame(schools(), ROLES)
    found = similar_units(profiles, SimilarOptions(n=4), "S1")
    # S2 is the same; S3 is 1 SD away in both: √(1 + 1)/√2 = 1; S4 and S10 are 2 SDs away in both, S4 stands first.
    assert [(one.rank, one.distance) for one in found.of("S1")] == [(1, 0.0), (2, 1.0), (3, 2.0), (4, 2.0)]
    assert ids(found, "S1") == ["S2", "S3", "S4", "S10"]
    assert [one.sd for one in found.characteristics] == [pytest.approx(10.0), pytest.approx(1.0)]
    # With weights 3 and 1, and a difference of 1 SD in fsm alone: √(3/4).
    frame = schools().assign(size=[1, 1, 1, 3, 4])
    weighted = similar_units(Profiles.from_frame(frame, ROLES), SimilarOptions(n=4, weights={"fsm": 3}), "S1")
    assert weighted.of("S1")[1].distance == pytest.approx(np.sqrt(3 / 4), abs=1e-10)


def test_a_category_counts_as_one_sd():
    roles = ProfileRoles(unit="id", characteristics=("fsm", "area"))
    found = similar_units(Profiles.from_frame(schools(), roles), SimilarOptions(n=4), "S3")
    # S4: 1 SD in fsm, the same area: √(1/2). S1: 1 SD and another area: 1.
    assert [(one.distance, found.profiles.units[one.position]) for one in found.of("S3")][:2] == [
        (pytest.approx(np.sqrt(0.5)), "S4"),
        (1.0, "S1"),
    ]
    assert found.characteristics[1].sd is None


def test_who_may_stand_on_a_list():
    profiles = Profiles.from_frame(schools(), ROLES)
    assert ids(similar_units(profiles, SimilarOptions(same=("phase",)), "S1"), "S1") == ["S2", "S3", "S10"]
    assert ids(similar_units(profiles, SimilarOptions(not_same=("area",)), "S3"), "S3") == ["S1", "S2", "S10"]
    with pytest.raises(DesignError, match="No other unit"):
        similar_units(profiles, SimilarOptions(same=("phase",)), "S4")
    lists = similar_units(profiles, SimilarOptions(n=3, same=("phase",)))
    assert lists.of("S4") == ()
    assert lists.n_short == 1
    assert lists.pairs()["similar"].tolist()[:3] == ["S2", "S3", "S10"]


def test_words():
    assert [closeness(d) for d in (0, 0.25, 0.26, 0.5, 0.75, 0.76)] == [
        "very close",
        "very close",
        "close",
        "close",
        "somewhat close",
        "not close",
    ]


def test_all_lists_are_those_of_a_plain_search(monkeypatch):
    profiles = Profiles.from_frame(many(), MANY)
    for budget in (4_000_000, 2_000):  # one chunk, and many with single searches
        monkeypatch.setattr(kernel, "_BUDGET", budget)
        lists = similar_units(profiles, RULES)
        for unit in profiles.units[::17]:
            single = similar_units(profiles, RULES, unit)
            assert lists.of(unit) == single.of(unit)
            row = profiles.position(unit)
            for one in lists.of(unit):
                assert profiles.labels["phase"].iloc[one.position] == profiles.labels["phase"].iloc[row]
                assert profiles.labels["area"].iloc[one.position] != profiles.labels["area"].iloc[row]


def test_ties_everywhere_go_by_id():
    frame = many(300).assign(a=lambda t: (t["id"] % 2).astype(float))
    profiles = Profiles.from_frame(frame, ProfileRoles(unit="id", characteristics=("a",)))
    lists = similar_units(profiles, SimilarOptions(n=5))
    assert ids(lists, 10) == [0, 2, 4, 6, 8]
    assert ids(lists, 7) == [1, 3, 5, 9, 11]
    assert ids(similar_units(profiles, SimilarOptions(n=5), 10), 10) == [0, 2, 4, 6, 8]


def test_row_order_units_of_measurement_and_names_change_nothing():
    frame = many()
    kept = frame.copy()
    main = similar_units(Profiles.from_frame(frame, MANY), RULES).pairs()
    other = frame.sample(frac=1, random_state=4).assign(b=lambda t: 1000 * t["b"] - 7)
    again = similar_units(Profiles.from_frame(other, MANY), RULES).pairs()
    pd.testing.assert_frame_equal(frame, kept)
    pd.testing.assert_frame_equal(main, again, rtol=0, atol=1e-9)
    renamed = frame.assign(id=frame["id"] + 5000)
    shifted = similar_units(Profiles.from_frame(renamed, MANY), RULES).pairs()
    assert (shifted["similar"].to_numpy() - 5000 == main["similar"].to_numpy()).all()
    scaled = similar_units(Profiles.from_frame(frame, MANY), SimilarOptions(
        weights={"a": 5, "b": 2, "kind": 2}, n=12, same=("phase",), not_same=("area",))).pairs()  # fmt: skip
    pd.testing.assert_frame_equal(main, scaled, rtol=0, atol=1e-9)


def test_sds_within_groups_that_are_compared():
    frame = schools().assign(phase=["p", "p", "p", "s", "s"], size=[1, 2, 3, 101, 103])
    found = similar_units(
        Profiles.from_frame(frame, ROLES), SimilarOptions(n=2, same=("phase",), sd_within_same=True), "S1"
    )
    # Around group means 2 and 102: 1 + 0 + 1 + 1 + 1 = 4 over 5 − 2 units: √(4/3).
    assert found.characteristics[1].sd == pytest.approx(np.sqrt(4 / 3))


def test_units_that_lack_something_are_counted():
    frame = schools().assign(fsm=[10.0, np.nan, 20.0, 30.0, 30.0], phase=["p", "p", None, "s", "p"])
    profiles = Profiles.from_frame(frame, ROLES)
    assert profiles.left_out.tolist() == ["S2", "S3"]
    assert profiles.lacking == (("fsm", 1), ("phase", 1))
    with pytest.raises(DataError, match="'S2' lacks a characteristic"):
        profiles.position("S2")
    with pytest.raises(DataError, match="One unit of 5 has every characteristic"):
        Profiles.from_frame(frame.assign(size=[1, 1, np.nan, np.nan, np.nan]), ROLES)


def test_a_unit_is_found_by_its_name():
    profiles = Profiles.from_frame(schools(), ROLES)
    assert profiles.position("cedar") == 2
    with pytest.raises(DataError, match="Did you mean 'Cedar'"):
        profiles.position("Cedr")
    twins = Profiles.from_frame(schools().assign(school="Oak"), ROLES)
    with pytest.raises(DataError, match="is the name of 5 units"):
        twins.position("Oak")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (SimilarOptions(weights={"fms": 2}), "Did you mean 'fsm'"),
        (SimilarOptions(weights={"fsm": 0}), "positive number"),
        (SimilarOptions(same=("phases",)), "Did you mean 'phase'"),
        (SimilarOptions(same=("phase",), not_same=("phase",)), "Choose one"),
        (SimilarOptions(n=0), "at least one"),
    ],
)
def test_options_that_cannot_be(option, said):
    with pytest.raises(DesignError, match=said):
        similar_units(Profiles.from_frame(schools(), ROLES), option, "S1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ["S1", "S1", "S3", "S4", "S10"]}, "stands in more than one row"),
        ({"id": ["S1", None, "S3", "S4", "S10"]}, "no id"),
        ({"fsm": [1.0, np.inf, 2, 3, 4]}, "infinite"),
    ],
)
def test_tables_that_cannot_be(change, said):
    with pytest.raises(DataError, match=said):
        Profiles.from_frame(schools().assign(**change), ROLES)


def test_a_characteristic_that_does_not_vary_is_refused():
    for value in (7.1, "same"):
        with pytest.raises(DesignError, match="same for all units"):
            similar_units(Profiles.from_frame(schools().assign(size=value), ROLES), None, "S1")


def test_the_table_shows_the_unit_itself_first():
    found = similar_units(Profiles.from_frame(schools(), ROLES), SimilarOptions(n=2), "S1")
    table = similar(found, "S1").table
    assert table.caption == "Most like Ash"
    assert [row[:4] for row in table.rows] == [
        ("this one", "S1", "Ash", 10),
        (1, "S2", "Beech", 10),
        (2, "S3", "Cedar", 20),
    ]
    assert table.rows[1][-2:] == ("very close", 0.0)
    assert any("fsm (SD 10.00) and size (SD 1.00)" in note for note in table.notes)


def test_small_counts_of_pupils_do_not_leave_nor_what_tells_them():
    frame = schools().assign(size=[40, 3, 50, 60, 70])
    found = similar_units(Profiles.from_frame(frame, ROLES), SimilarOptions(n=4), "S1")
    rows = {row[1]: row for row in similar(found, "S1", pupils=("size",)).table.rows}
    assert "Suppressed" in rows["S2"][4].reason
    assert "Withheld" in rows["S2"][-1].reason
    assert rows["S3"][4] == 50
    assert isinstance(rows["S3"][-1], float)
    own = similar_units(Profiles.from_frame(frame, ROLES), SimilarOptions(n=4), "S2")
    assert all("Withheld" in row[-1].reason for row in similar(own, "S2", pupils=("size",)).table.rows)
    with pytest.raises(DesignError, match="whole numbers"):
        similar(similar_units(Profiles.from_frame(frame.assign(size=frame["size"] + 0.5), ROLES), None, "S1"), "S1",
                pupils=("size",))  # fmt: skip


@pytest.mark.parametrize("as_category", [False, True])
def test_nothing_that_is_told_depends_on_a_small_count(as_category):
    """Whatever a count under the threshold is, the list, its distances and its SDs are the same to the last digit."""
    told = []
    for small in range(6):
        frame = schools().assign(size=[40, small, 50, 60, 70])
        frame = frame.assign(size=frame["size"].astype(str)) if as_category else frame
        profiles = Profiles.from_frame(frame, ROLES)
        found = similar_units(profiles, SimilarOptions(n=4, pupils=("size",)), "S1")
        table = similar(found, "S1").table
        told.append((table.rows, table.notes, found.characteristics, found.positions.tolist()))
        assert similar(similar_units(profiles, SimilarOptions(n=4), "S1"), "S1", ("size",)).table == table
        assert [row[4] for row in table.rows if row[1] == "S3"] == [50]
    assert all(one == told[0] for one in told)


def test_a_count_of_pupils_is_not_what_units_share():
    profiles = Profiles.from_frame(schools().assign(size=[40, 3, 50, 60, 70]), ROLES)
    with pytest.raises(DesignError, match="would tell small counts"):
        similar_units(profiles, SimilarOptions(same=("size",), pupils=("size",)))
