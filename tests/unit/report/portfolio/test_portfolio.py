"""The portfolio's page, tables, forest plots and record: what they say, and that they say it the same twice."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evalkit.core.errors import EvalkitError
from evalkit.core.manifest import Vintage
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.portfolio.portfolio import make_portfolio
from evalkit.diagnose.portfolio.project_record import FailedRun, UnreadFolder
from evalkit.report.figures.forest import Forest, ForestRow
from evalkit.report.portfolio.site import portfolio_files
from evalkit.report.portfolio.tables import overlaps_table, pooled_table, projects_table
from evalkit.report.portfolio.words import banner, group_result, group_titles, portfolio_front_matter
from tests.portfolio_records import outcome, project, projects

FAILED = (FailedRun("gale", "time limit", "notebooks, How large is it?", "Stopped after 600 seconds.", False),)
UNREAD = (UnreadFolder("old", "It has no manifest.json."),)


@pytest.fixture(scope="module")
def portfolio():
    """Four real projects, one of them with another theme, and one on synthetic data; one failed, one not read."""
    made = projects([0.1, 0.5, 0.9, -0.2])
    made[0] = replace(made[0], compared=(20, 21, 22), area_names=((20, "Avon"), (21, "Berks"), (22, "Corn")))
    made[1] = replace(made[1], compared=(21, 22), theme="", region="London")
    synthetic = project("syn", outcome(2.0), data_kind="synthetic")
    return make_portfolio([*made, synthetic], FAILED, UNREAD)


@pytest.fixture(scope="module")
def files(portfolio):
    return portfolio_files(portfolio)


def test_every_file_is_the_same_twice(portfolio, files):
    assert portfolio_files(portfolio) == files


def test_the_page_is_one_file_without_network(files):
    page = files["index.html"].decode()
    assert not re.search(r"https?://", page)
    assert not re.search(r"<(?:link|iframe|object|embed)\b|<script[^>]+src|@import|url\((?!data:)", page)
    assert "default-src 'none'" in page


class _Seen(HTMLParser):
    """Links and ids of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        self.links += [held["href"]] if tag == "a" else []
        self.ids += [held["id"]] if "id" in held else []


def test_every_report_is_linked_and_every_anchor_is_there(files):
    seen = _Seen(files["index.html"].decode())
    reports = [link for link in seen.links if not link.startswith("#")]
    assert reports == [f"../{slug}/report.html" for slug in ("a", "b", "c", "d", "syn")]
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))


def test_names_that_hold_markup_are_shown_as_they_are():
    odd = project("x", title='<script>alert(1)</script> & "more"', place="<b>Bold</b>", theme='"><img src=x>')
    page = portfolio_files(make_portfolio([odd]))["index.html"].decode()
    assert "<script>alert" not in page
    assert "<b>Bold" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page


def test_the_banner_says_which_projects_are_synthetic(portfolio):
    assert banner(portfolio).startswith("PARTLY SYNTHETIC DATA. 1 project of 5 (syn) comes from an invented England")
    assert banner(make_portfolio([project("syn", data_kind="synthetic")])).startswith("SYNTHETIC DATA.")
    assert banner(make_portfolio([project("a")])) == ""


def test_the_face_counts(portfolio):
    assert portfolio_front_matter(portfolio) == (
        "5 finished evaluations (4 on published data, 1 on synthetic data).",
        "1 pooled result, 1 of them from fewer than 5 projects.",
        "1 project whose last run failed.",
        "1 folder not counted, with reasons.",
    )
    assert portfolio_front_matter(make_portfolio([]))[1].startswith("Nothing could be pooled")


def test_the_pooled_sentences_by_hand():
    # 1, 3 and 8 points with errors of 1: mean 4, τ² = 12 (see test_random_effects), HK √(13/3) = 2.08, t(1) 12.71:
    # 4 ± 51.4; Q-profile 26/7.378 − 1 and 26/0.05064 − 1
    [group] = make_portfolio(projects([1.0, 3.0, 8.0], error=1.0)).groups
    test = group.pooled.test
    middle = f"{test.estimate:.2f}"
    said = group_result(group)
    assert said[0].startswith(
        f"Few: read with care. Over 3 projects the average given the baseline is {middle} progress points (95% "
    )
    assert test.estimate == pytest.approx(4.0 - test.centre)
    assert "sets of 3 of 60 areas without a programme, each in the same half of the level before" in said[1]
    assert said[2] == (
        "As they are in the reports, not given the baseline, the estimates average 4.00 progress points."
    )
    lower, upper = group.pooled.prediction.lower, group.pooled.prediction.upper
    assert (lower + test.centre, upper + test.centre) == pytest.approx((-47.35, 55.35), abs=0.005)
    assert said[3] == (
        f"The effect of one more project like these would lie between −{-lower:.2f} and {upper:.2f} (95% prediction "
        "interval, t with 1 degree of freedom)."
    )
    assert said[4] == (
        "Effects differ between projects with an SD of 3.46 (variance 12.000; 95% interval 2.52 to 512.47), 92% of all "
        "variance (I²; Q = 26.00 on 2 degrees of freedom, p < 0.001)."
    )
    assert "independent" not in " ".join(said)


def test_what_is_withheld_is_said_in_the_sentence_the_table_and_the_figure():
    many = [project(f"p{at:02d}", outcome(0.1 * at)) for at in range(9)]  # sixty areas are fewer than 7 for each
    made = make_portfolio(many)
    [group] = made.groups
    assert isinstance(group.pooled.test.p_value, Unavailable)
    said = group_result(group)[0]
    assert "Its p-value and interval are not given. Withheld: 60 areas without a programme can be compared" in said
    row = dict(zip((c.key for c in pooled_table(made).table.columns), pooled_table(made).table.rows[0], strict=True))
    assert isinstance(row["interval"], Unavailable)
    assert isinstance(row["p_value"], Unavailable)
    assert "(no interval)" in portfolio_files(made)["index.html"].decode()


def test_groups_that_differ_in_their_years_say_them():
    made = make_portfolio([*projects([0.1, 0.2]), project("z", post=(2018,))])
    assert group_titles(made) == (
        "Reading progress, 2016 to 2017, then 2019",
        "Reading progress, 2016 to 2017, then 2018",
    )


def test_contrast_and_placebo_stand_in_the_same_table():
    made = [
        project(
            one.slug,
            one.main,
            outcome(0.3, outcome="READPROG-MATPROG", role="contrast"),
            outcome(0.2, outcome="MATPROG", role="placebo"),
        )
        for one in projects([0.1, 0.5, 0.9])
    ]
    rows = pooled_table(make_portfolio(made)).table.rows
    assert [row[:2] for row in rows] == [
        ("Reading progress", "aimed at"),
        ("Reading progress less maths progress", "contrast"),
        ("Maths progress, where it was not aimed at", "not aimed at"),
    ]


def test_every_row_says_what_it_was_made_from():
    vintage = Vintage(kit="0.1.0", commit="1f19207abc", data="3fa9c1d2ee", made="2026-11-29", state="changed")
    made = make_portfolio([*projects([0.1, 0.5, 0.9]), project("z", outcome(2.0), vintage=vintage)])
    said = "evalkit 0.1.0, commit 1f19207, data 3fa9c1d2, 2026-11-29. Its project has changed since."
    assert [row[-1] for row in projects_table(made).table.rows][-1] == said
    page = portfolio_files(made)["index.html"].decode()
    assert page.count(said) == 2  # among the projects, and among those left out


def test_shared_areas_are_told_where_results_are_pooled(portfolio):
    said = " ".join(group_result(portfolio.groups[0]))
    assert "1 of 6 pairs of projects share comparison areas (up to 100% of the smaller set)" in said
    assert "not independent" in said
    [row] = overlaps_table(portfolio).table.rows
    assert row == ("A", "B", 2, 100.0, "Berks and Corn", "none")


def test_groups_that_differ_in_their_comparison_alone_are_numbered():
    other = outcome(0.3, comparison=replace(outcome().comparison, weights="pupils"))
    made = make_portfolio([*projects([0.1, 0.2]), project("z", other)])
    assert group_titles(made) == ("Reading progress, comparison 1", "Reading progress, comparison 2")


def test_a_refusal_stands_in_every_place_of_the_result(portfolio):
    rows = {(row[0], row[3]): row for row in pooled_table(portfolio).table.rows}
    refused = rows["Reading progress", "synthetic"]
    assert all(isinstance(cell, Unavailable) for cell in refused[7:16])
    assert rows["Reading progress", "published"][-1] == "few: read with care"


def test_the_page_gives_the_reasons(files):
    page = files["index.html"].decode()
    for said in (
        "Not pooled: 1 estimate, and fewer than 3",
        "Stopped after 600 seconds.",
        "It has no manifest.json.",
        "few: read with care",
        "Not pooled by itself, as there are fewer than 3 projects of it: not stated (1)",
        "It is not a rating by the Education Endowment Foundation",
    ):
        assert said in page, said


def test_the_table_has_a_row_for_each_project_in_the_order_of_titles(files):
    rows = list(csv.DictReader(io.StringIO(files["tables/projects.csv"].decode())))
    assert [row["project"] for row in rows] == [f"The {slug} programme" for slug in ("a", "b", "c", "d", "syn")]
    assert rows[1]["theme"] == "not stated"
    assert float(rows[0]["effect"]) == 0.1
    assert rows[4]["data"] == "synthetic"


def test_a_missing_effect_is_a_reason_and_sorts_last():
    lacking = project("z", outcome(Unavailable("six schools: too few")))
    page = portfolio_files(make_portfolio([lacking]))["index.html"].decode()
    assert '<td class="reason" data-sort="">six schools: too few</td>' in page
    assert projects_table(make_portfolio([lacking])).table.rows[0][7] == Unavailable("six schools: too few")


def test_the_record_is_finite_and_holds_every_result(files):
    held = json.loads(files["results.json"], parse_constant=lambda name: pytest.fail(name))
    assert [one["slug"] for one in held["projects"]] == ["a", "b", "c", "d", "syn"]
    real, synthetic = held["groups"]
    assert real["pooled"]["n"] == 4
    assert real["pooled"]["random_effects"]["prediction_df"] == 2
    assert len(real["pooled"]["random_effects"]["weights"]) == 4
    assert real["pooled"]["n_draws"] == 9_999
    assert real["members"][0]["raw"] == 0.1
    assert real["members"][0]["vintage"]["state"] == "not known"
    assert "table" not in held["projects"][0]["outcomes"][0]
    assert synthetic["pooled"] == {"unavailable": synthetic["pooled"]["unavailable"]}
    assert held["overlaps"] == [{"first": "a", "second": "b", "shared": [21, 22], "crossed": [], "share": 1.0}]


def test_a_forest_for_every_group_with_its_words_and_numbers(files):
    assert files["figures/forest-01.png"].startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO(files["figures/forest-01.csv"].decode())))
    assert [row["project"] for row in rows] == ["C", "B", "A", "D"]  # 0.9, 0.5, 0.1, −0.2
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(100)
    page = files["index.html"].decode()
    assert "Forest plot of 4 projects. Estimates run from −0.20 to 0.90 progress points; their average is" in page
    [alone] = csv.DictReader(io.StringIO(files["figures/forest-02.csv"].decode()))
    assert alone["weight"] == "not pooled"


def test_two_projects_of_one_place_are_told_apart():
    made = [replace(one, place="Leeds") for one in projects([0.1, 0.2])]
    page = portfolio_files(make_portfolio(made))["figures/forest-01.csv"].decode()
    assert "Leeds (a)" in page
    assert "Leeds (b)" in page


def test_a_forest_without_estimates_is_none():
    lacking = make_portfolio([project("z", outcome(Unavailable("too few")))])
    assert not [name for name in portfolio_files(lacking) if name.startswith("figures")]
    with pytest.raises(EvalkitError):
        Forest(title="", unit="", rows=(), weights=(), pooled=Unavailable("none"), is_few=False)
    row = ForestRow("a", 0.0, Interval(-1, 1))
    with pytest.raises(EvalkitError):
        Forest(title="", unit="", rows=(row,), weights=(0.5, 0.5), pooled=Unavailable("none"), is_few=False)


def test_hundreds_of_projects_are_drawn_in_reasonable_size():
    made = [project(f"p{at:03d}", outcome(0.01 * at)) for at in range(120)]
    files = portfolio_files(make_portfolio(made))
    assert len(files["index.html"]) < 4_000_000
