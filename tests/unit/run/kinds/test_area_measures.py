"""Outcomes published of authorities: equal to a table of one's own, blind, refused where schools are needed."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError, MissingData, ProjectError
from evalkit.data.areas.authorities import authorities_on
from evalkit.data.measures import measure
from evalkit.diagnose.finding import Verdict
from evalkit.report.kinds import series as series_shown
from evalkit.report.kinds import synthetic as synthetic_shown
from evalkit.run.notebooks.session import open_design, open_evaluation

YEARS, START, EFFECT, TREATED = range(2012, 2020), 2018, 1.5, 340
CODES = [code for code in authorities_on(date(2016, 1, 1)) if code != TREATED][:48]

PROJECT = """\
schema_version: 2
slug: area
title: An authority on its course
question: Did exclusions fall?
programme: {{name: P, place: Here, funder: F, aim: to lower them, start: {start}, end: 2022-07-31}}
participants: {who}
outcomes:
  - {{{outcome}, role: primary}}
analyses:
  - {{name: main, kind: {kind}, primary: true{options}}}
{more}"""


def rates(seed=5):
    rng = np.random.default_rng(seed)
    rows = []
    for code in [TREATED, *CODES]:
        level, slope = rng.normal(8, 1.5), rng.normal(0.1, 0.05)
        for year in YEARS:
            effect = EFFECT if code == TREATED and year >= START else 0.0
            rows.append((code, year, round(level + slope * (year - 2012) + effect + rng.normal(0, 0.3), 3)))
    return pd.DataFrame(rows, columns=["code", "year", "rate"])


def published(folder: Path, rows: pd.DataFrame, measures=("SecFixedEx",)) -> Path:
    """Write the rates as the interactive tool's table has them, as text."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        rows.assign(**{"Short Desc": name, "LA and Regions": [f"Area {code}" for code in rows["code"]]})
        for name in measures
    ]
    table = pd.concat(parts).rename(columns={"year": "Years", "code": "LA Number", "rate": "Values"})
    table[["Short Desc", "Years", "LA Number", "LA and Regions", "Values"]].to_csv(folder / "lait.csv", index=False)
    return folder


def project(folder: Path, kind="series", outcome="measure: secondary_fixed_exclusions", **changes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    options = changes.pop("options", ", comparison: all" if kind == "series" else "")
    filled = {"start": "2017-09-01", "who": f"{{areas: [{TREATED}]}}", "more": ""} | changes
    text = PROJECT.format(kind=kind, outcome=outcome, options=options, **filled)
    (folder / "project.yml").write_text(text)
    return folder / "project.yml"


def evaluated(path: Path, data: Path | str = ""):
    return open_evaluation(str(path), data=str(data)).primary


@pytest.fixture(scope="module")
def rows():
    return rates()


@pytest.fixture(scope="module")
def data(tmp_path_factory, rows):
    return published(tmp_path_factory.mktemp("published"), rows)


@pytest.mark.parametrize("kind", ["series", "synthetic"])
def test_it_gives_the_numbers_of_the_same_series_as_an_own_table(tmp_path, rows, data, kind):
    found = evaluated(project(tmp_path / "published", kind), data)
    rows.to_csv((tmp_path / "own.csv"), index=False)
    own_outcome = "table: rates, column: rate, label: Rate, unit: per 100 pupils, direction: lower"
    table = "data: {tables: {rates: {file: own.csv, unit: code, period: year}}}\n"
    path = project(tmp_path / "own", kind, own_outcome, who="{file: who.csv}", more=table)
    rows.to_csv(path.parent / "own.csv", index=False)
    (path.parent / "who.csv").write_text(f"code\n{TREATED}\n")
    own = evaluated(path)
    (one,), (other,) = ([e for e in r.effects if e.is_main and e.role == "primary"] for r in (found, own))
    # the same numbers by another way in: to rounding of a sum of 48 values
    assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
    assert one.interval.lower == pytest.approx(other.interval.lower, abs=1e-9)
    assert one.n_comparison == other.n_comparison == len(CODES)


def test_it_says_where_it_was_read_and_what_changed(tmp_path, data):
    results = evaluated(project(tmp_path), data)
    findings = {one.name: one for one in results.findings}
    assert "Read of lait.csv (Local Authority Interactive Tool, SecFixedEx)." in findings["source"].sentence
    assert findings["breaks"].verdict is Verdict.REASSURING
    main = results.main("secondary_fixed_exclusions")
    assert abs(main.estimate - EFFECT) < 1.0
    assert series_shown.units(results.plan) == "areas"
    assert "Exclusions for a fixed period from secondary schools" in series_shown.answer(results).text
    record = json.loads(open_design(str(tmp_path / "project.yml"), data=str(data)).to_json())
    read_of = record["analyses"]["main"]["outcomes"]["secondary_fixed_exclusions"]["read_of"]
    assert read_of == {"file": "lait.csv", "layout": "lait", "column": "SecFixedEx", "where": {}}


@pytest.mark.parametrize("kind", ["series", "synthetic"])
def test_the_design_reads_no_year_from_the_start_on(tmp_path, rows, data, kind):
    path = project(tmp_path / "project", kind)
    spoilt = rows.astype({"rate": object})
    spoilt.loc[spoilt["year"] >= START, "rate"] = "spoilt"
    other = published(tmp_path / "spoilt", spoilt)
    designs = [open_design(str(path), data=str(folder)).to_json() for folder in (data, other)]
    assert designs[0] == designs[1]
    with pytest.raises(Exception, match="'spoilt'"):
        evaluated(path, other)


def test_a_break_on_the_way_is_told_and_one_of_level_ends_the_series(tmp_path, rows):
    later = pd.concat([rows, rows[rows["year"] == 2019].assign(year=2020)])
    data = published(tmp_path / "data", later.assign(rate=later["rate"] + 60), ["FSP_NEW_GOODDEV", "SecFixedEx"])
    path = project(tmp_path / "cut", outcome="measure: good_level_of_development", start="2021-09-01")
    with pytest.raises(DesignError, match=r"no year from its start, 2022.*made anew in 2022"):
        evaluated(path, data)  # 2013 to 2019 are at hand, and no year from 2022 on could be compared with them
    crossed = evaluated(
        project(tmp_path / "crossed", outcome="measure: fixed_exclusions"),
        published(tmp_path / "other", later, ["TotFixedEx"]),
    )
    (breaks,) = [one for one in crossed.findings if one.name == "breaks"]
    assert breaks.verdict is Verdict.CAUTION
    assert measure("fixed_exclusions").breaks[0].sentence in breaks.sentence


@pytest.mark.parametrize("kind", ["areas", "matched", "staggered", "dose", "transitions"])
def test_kinds_that_need_schools_refuse_it_with_the_reason(tmp_path, kind):
    with pytest.raises(ProjectError, match="is published of authorities, with no value of any school") as told:
        evaluated(project(tmp_path, kind, options=", outcomes: [secondary_fixed_exclusions]"))
    assert "Evaluate it by `series` and `synthetic`" in str(told.value)


def test_subgroups_of_authorities_are_refused(tmp_path):
    with pytest.raises(ProjectError, match="so that it has no subgroups"):
        evaluated(project(tmp_path, options=", comparison: all, by: region"))


def test_what_no_file_holds_is_missed_by_name(tmp_path, data):
    with pytest.raises(MissingData, match="no file holds overall_absence") as told:
        evaluated(project(tmp_path, outcome="measure: overall_absence"), data)
    assert "hold secondary_fixed_exclusions." in str(told.value)


def test_a_project_defines_a_measure_of_authorities_beside_the_kit_s(tmp_path, rows):
    data = published(tmp_path / "data", rows, ["CINFixedExclusion"])
    path = project(tmp_path / "project", outcome="measure: in_need")
    entry = """\
schema_version: 2
breaks:
  counted_anew: {before: 2013, after: 2014, kind: year-common, sentence: "They were counted anew in 2014."}
measures:
  - code: in_need
    label: Exclusions of children in need
    unit: per 100 children
    direction: lower is better
    key_stage: AREA
    years: [2012, 2013, 2014, 2015, 2016, 2017, 2018, 2019]
    breaks: [counted_anew]
    places: [{layout: lait, column: CINFixedExclusion}]
    sd: {none: "it is not published"}
    source: the tool's own notes
"""
    (path.parent / "measures.yml").write_text(entry)
    found = evaluated(path, data)
    assert found.main("in_need").n_comparison == len(CODES)
    assert "They were counted anew in 2014." in {one.name: one for one in found.findings}["breaks"].sentence
    (path.parent / "measures.yml").write_text(entry.replace("places: [{layout: lait", "places: [{layout: tool"))
    with pytest.raises(ProjectError, match=r"places\[1\]\.layout.*authorities are read of lait, ees, exclusions"):
        evaluated(path, data)


def test_areas_that_start_in_different_years_are_listed_with_their_starts(tmp_path, data):
    path = project(tmp_path, "synthetic", who="{file: who.csv}")
    (tmp_path / "who.csv").write_text(f"code,start\n{TREATED},2017-09-01\n{CODES[0]},2018-09-01\n")
    found = evaluated(path, data)
    assert dict(found.details.primary.plan.starts) == {str(CODES[0]): 2019, str(TREATED): 2018}
    assert "areas" in synthetic_shown.units(found.plan)


# Sets of areas that lie together.


def ladder(folder: Path, rows: pd.DataFrame, treated: list[int], **changes) -> tuple[Path, Path]:
    """Write a project of areas in a ladder of two columns, with a list of their borders, and its data."""
    data = published(folder / "data", rows)
    listed = "[" + ", ".join(map(str, treated)) + "]"
    more = "data: {borders: borders.csv}\n"
    options = ", comparison: all, placebo: connected"
    path = project(folder / "project", who=f"{{areas: {listed}}}", options=options, more=more, **changes)
    codes = sorted([TREATED, *CODES])
    pairs = [(codes[at], codes[at + 1]) for at in range(0, len(codes) - 1, 2)]
    pairs += [(codes[at], codes[at + 2]) for at in range(len(codes) - 2)]
    pd.DataFrame(pairs, columns=["one", "other"]).to_csv(path.parent / "borders.csv", index=False)
    return path, data


def test_a_series_of_areas_that_lie_together_is_placed_among_sets_that_do(tmp_path, rows):
    codes = sorted([TREATED, *CODES])
    treated = codes[:4]
    path, data = ladder(tmp_path, rows, treated)
    found = evaluated(path, data)
    one = found.details.primary
    # the estimate by hand: levels of the four areas' mean gap to the 45 others, lines before and after
    wide = rows.pivot_table(index="code", columns="year", values="rate")
    gap = (wide.loc[treated].mean() - wide.drop(treated).mean()).to_numpy()
    years = wide.columns.to_numpy()
    after = (years >= START).astype(float)
    assert not one.has_slope  # two years from the start on
    assert one.overall.estimate == pytest.approx(gap[after > 0].mean() - gap[after == 0].mean())
    # 45 areas of a ladder are 11 sets of four without one in common
    assert (one.overall.n_disjoint, one.overall.n_draws) == (11, 9999)
    assert one.overall.p_value >= 1 / 12
    assert "an interval takes 40" in one.overall.interval.reason
    assert "border each other" in found.reason
    told = series_shown.certainty(found).text
    assert "no p-value is below 1/12" in told
    for finding in found.findings:
        assert finding.verdict is not Verdict.SERIOUS
    record = json.loads(open_design(str(path), data=str(data)).to_json())["analyses"]["main"]
    assert record["outcomes"]["secondary_fixed_exclusions"]["n_borders"] > 40


def test_what_connected_sets_of_a_series_need_is_said(tmp_path, rows):
    codes = sorted([TREATED, *CODES])
    with pytest.raises(DesignError, match=r"do not lie together.*Say `placebo: areas`"):
        evaluated(*ladder(tmp_path / "apart", rows, [codes[0], codes[20]]))
    with pytest.raises(DesignError, match="sets of one border nothing"):
        evaluated(*ladder(tmp_path / "one", rows, [TREATED]))
