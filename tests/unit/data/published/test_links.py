"""Identity follows a school only along links that are one-to-one."""

import pytest

from evalkit.data.published.school_lists import Links, read_links


@pytest.fixture
def links(tmp_path):
    rows = [
        (3, 2, "Predecessor"), (2, 3, "Successor"), (2, 1, "Predecessor"), (1, 2, "Successor"),  # a chain 1 ← 2 ← 3
        (12, 10, "Predecessor"), (12, 11, "Predecessor"),  # two schools became one
        (21, 20, "Predecessor"), (22, 20, "Predecessor"),  # one became two
        (31, 30, "Predecessor - merged"), (30, 31, "Successor - merged"),
        (41, 40, "Predecessor"), (41, 49, "Predecessor - amalgamated"),  # one-to-one, and an amalgamation beside
        (51, 50, "Predecessor"), (51, 50, "Predecessor"),  # the same link written twice is one link
        (60, 61, "Sixth Form Centre Link"),
    ]  # fmt: skip
    path = tmp_path / "links.csv"
    text = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"
    text += "".join(f"{a},{b},École,{kind},01-02-2018\n" for a, b, kind in rows)
    path.write_bytes(text.encode("cp1252"))
    return read_links(path)


@pytest.mark.parametrize(
    ("urn", "oldest"), [("3", "1"), ("2", "1"), ("1", "1"), ("41", "40"), ("51", "50"), ("99", "99")]
)
def test_one_to_one_predecessors_are_followed_to_the_first(links, urn, oldest):
    assert links.oldest(urn) == oldest


@pytest.mark.parametrize("urn", ["12", "21", "22", "31", "60"])
def test_mergers_splits_and_other_links_are_not_followed(links, urn):
    assert links.oldest(urn) == urn


def test_each_kind_of_link_is_counted(links):
    counts = [case.n for case in links.cases]
    # followed: 3←2, 2←1, 41←40, 51←50; of them 41 also amalgamated; not one-to-one: two of 12, one each of 21 and 22;
    # other kinds: two 'merged', one 'amalgamated', one sixth-form centre.
    assert counts == [4, 1, 4, 4]


def test_a_loop_ends_where_it_closes():
    assert Links({"1": "2", "2": "3", "3": "1"}, ()).oldest("1") == "3"


def test_followed_links_keep_their_day(links):
    assert links.opened == {"3": "01-02-2018", "2": "01-02-2018", "41": "01-02-2018", "51": "01-02-2018"}
