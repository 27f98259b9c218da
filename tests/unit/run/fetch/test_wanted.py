"""What is asked for, file by file, and what there cannot be."""

from dataclasses import replace
from datetime import date

import pytest

from evalkit.core.errors import InputError
from evalkit.run.fetch.addresses import Address, Source, sources
from evalkit.run.fetch.wanted import areas_named, plan, summers

TODAY = date(2026, 11, 30)
TABLES = sources()["performance-tables"]


def source_of(*addresses):
    made = tuple(Address(source="gias", name=f"n{i}", url=url, file=file) for i, (url, file) in enumerate(addresses))
    return Source(name="gias", title="", publisher="", page="", confirmed="", addresses=made)


def names(found):
    return [one.places[0].name for one in found.files]


@pytest.mark.parametrize(
    ("texts", "years"),
    [
        (["2017-2019,2022"], (2017, 2018, 2019, 2022)),
        (["2019", "2017"], (2017, 2019)),
        ([" 2017 - 2018 ,2018,"], (2017, 2018)),
        (["2018/19"], (2019,)),
        (["2018-19"], (2019,)),
        (["201819"], (2019,)),
        (["1999/2000", "1999/00"], (2000,)),
        ([], ()),
    ],
)
def test_summers_are_read_as_they_are_written(texts, years):
    assert summers(texts) == years


@pytest.mark.parametrize(
    "text", ["2019-2017", "19", "2018/20", "abc", "2019.0", "２０１９", "1066", "2019-9999", "-2019"]
)
def test_what_is_no_summer_is_refused(text):
    with pytest.raises(InputError, match="--years"):
        summers([text])


def test_authorities_are_named_by_number_or_name():
    assert areas_named(["340,Knowsley", "st helens", "Bristol, City of", "936"]) == (340, 342, 801, 936)
    assert areas_named(["kingston upon hull"]) == (810,)


@pytest.mark.parametrize(("text", "means"), [("Knowsly", "Knowsley"), ("34", ""), ("999", ""), ("340;341", "")])
def test_an_authority_that_there_is_not_is_refused(text, means):
    with pytest.raises(InputError, match=f"no authority '{text}'.*{means}"):
        areas_named([text])


def test_each_summer_and_authority_is_a_file():
    found = plan(TABLES, (2018, 2019), (340, 936), ["ks2"], TODAY)
    assert names(found) == [
        "2017-2018_340_ks2final.csv",
        "2017-2018_936_ks2final.csv",
        "2018-2019_340_ks2final.csv",
        "2018-2019_936_ks2final.csv",
    ]
    assert "regions=936" in found.files[1].places[0].url
    assert "year=2017-2018" in found.files[1].places[0].url
    assert found.reasons == ()


def test_without_an_authority_the_file_is_of_england():
    found = plan(TABLES, (2019,), (), ["ks4"], TODAY)
    assert names(found) == ["2018-2019_england_ks4final.csv"]
    assert "regions=0&" in found.files[0].places[0].url


def test_years_that_do_not_exist_are_told_and_not_asked_for():
    found = plan(TABLES, (2019, 2020, 2021, 2022, 2025), (), ["ks2,ks4"], TODAY)
    assert names(found) == [f"{years}_england_{stage}final.csv" for stage, years in
                            [("ks2", "2018-2019"), ("ks4", "2018-2019"), ("ks4", "2021-2022")]]  # fmt: skip
    told = " ".join(found.reasons)
    assert "ks2 of 2020: no tests or exams" in told
    assert "ks2 of 2022: tests were held" in told
    assert "ks4 of 2025: from 2024/25" in told
    assert "evalkit fetch ees" in told


def test_an_authority_of_other_years_is_told():
    found = plan(TABLES, (2019, 2024), (909, 942), ["ks2"], TODAY)  # Cumbria until April 2023, then Cumberland
    assert names(found) == ["2018-2019_909_ks2final.csv", "2023-2024_942_ks2final.csv"]
    assert found.reasons == (
        "Cumberland (942) of 2019: there was no such authority in 2018/19",
        "Cumbria (909) of 2024: there was no such authority in 2023/24",
    )


def test_years_are_needed_where_there_is_a_file_for_each():
    with pytest.raises(InputError, match="Say which with --years"):
        plan(TABLES, (), (), [], TODAY)


def test_what_makes_no_difference_is_told():
    found = plan(sources()["ees"], (2023,), (340,), ["ks2-schools"], TODAY)
    assert names(found) == ["ees_ks2_schools.csv"]
    assert ["makes no difference" in why for why in found.reasons] == [True, True]


def test_a_file_of_today_may_be_one_of_the_days_before():
    [file] = plan(sources()["gias"], (), (), [], TODAY).files
    assert [place.name for place in file.places][:2] == ["edubasealldata20261130.csv", "edubasealldata20261129.csv"]
    assert len(file.places) == 8
    assert file.key == "gias/establishments"


def test_a_name_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="Did you mean 'ks4'"):
        plan(TABLES, (2019,), (), ["k4"], TODAY)


def test_a_file_is_meant_by_a_part_of_its_name_where_none_has_that_name():
    found = source_of(("http://a.example/1", "a.csv"), ("http://a.example/2", "b.csv"))
    named = replace(found, addresses=tuple(replace(one, name=f"2019_ks{i}") for i, one in enumerate(found.addresses)))
    assert names(plan(named, (), (), ["ks1"], TODAY)) == ["b.csv"]
    assert names(plan(sources()["ees"], (), (), ["ks4-schools"], TODAY)) == ["ees_ks4_schools.csv"]


def test_two_files_of_one_name_are_refused():
    with pytest.raises(InputError, match="the name of two files"):
        plan(source_of(("http://a.example/{year}", "a.csv")), (2018, 2019), (), [], TODAY)
    with pytest.raises(InputError, match="the name of two files"):
        plan(source_of(("http://a.example/1", "a.csv"), ("http://a.example/2", "A.csv")), (), (), [], TODAY)
