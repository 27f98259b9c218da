"""The kind `series` on a table of areas: equal to least squares by hand, judged among areas, split by breaks."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError, ProjectError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.project.inference import PERMUTATION, WHOLE_SETS
from evalkit.diagnose.finding import Verdict
from evalkit.report.documents.released import effect_record
from evalkit.report.kinds import series as shown
from evalkit.run.notebooks.session import open_design, open_evaluation

YEARS, START, EFFECT, N_AREAS = range(2009, 2019), 2014, 4.0, 44

PROJECT = """\
schema_version: 2
slug: course
title: Areas on their course
question: Did the area leave its course?
programme: {{name: P, place: Here, funder: F, aim: to move it, start: 2013-09-01, end: 2018-07-31}}
data:
  kind: synthetic
  tables:
    rates: {{file: rates.csv, unit: area, period: year}}
participants: {{file: participants.csv{first_year}}}
outcomes:
  - {{table: rates, column: rate, label: Rate, unit: points, sd: 8, role: primary{breaks}}}
  - {{table: rates, column: other, label: Other rate, unit: points, role: placebo}}
analyses:
  - {{name: main, kind: series, primary: true, comparison: all{options}}}
"""


def table(n_areas=N_AREAS, seed=8):
    rng = np.random.default_rng(seed)
    rows = []
    for area in range(n_areas):
        level, other = rng.normal(50, 5, size=2)
        for year in YEARS:
            effect = EFFECT if area == 0 and year >= START else 0.0
            rows.append((f"A{area:02d}", year, level + (year - 2009) + effect + rng.normal(), other + rng.normal()))
    return pd.DataFrame(rows, columns=["area", "year", "rate", "other"]).round(3)


def project(folder, rows, who="area\nA00\n", options="", breaks="", first_year=""):
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / "rates.csv", index=False)
    (folder / "participants.csv").write_text(who, encoding="utf-8")
    text = PROJECT.format(options=options, breaks=breaks, first_year=first_year)
    (folder / "project.yml").write_text(text, encoding="utf-8")
    return folder / "project.yml"


def evaluated(folder, rows, **changes):
    return open_evaluation(str(project(folder, rows, **changes))).primary


def by_hand(rows, without=(), treated=("A00",)):
    """Return the mean effect by `numpy.linalg.lstsq` on the gap of the first area to all untreated others."""
    wide = rows[~rows["year"].isin(without)].pivot_table(index="area", columns="year", values="rate")
    gap = (wide.loc["A00"] - wide.drop(list(treated)).mean()).to_numpy()
    years = wide.columns.to_numpy()
    after = (years >= START).astype(float)
    design = np.column_stack([np.ones(len(years)), years - START, after, after * (years - START)])
    found = np.linalg.lstsq(design, gap, rcond=None)[0]
    return found, (found[2] + found[3] * (years[years >= START] - START)).mean()


@pytest.fixture(scope="module")
def rows():
    return table()


@pytest.fixture(scope="module")
def results(tmp_path_factory, rows):
    """The results of one area among 44, by lines."""
    return evaluated(tmp_path_factory.mktemp("one"), rows)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, rows):
    """The results of an area that has no other to be compared with."""
    return evaluated(tmp_path_factory.mktemp("alone"), rows[rows["area"] == "A00"])


def test_the_effect_is_that_of_least_squares(results, rows):
    coefficients, mean = by_hand(rows)
    one = results.details.primary
    assert one.has_slope
    assert one.overall.estimate == pytest.approx(mean)
    assert (one.lines.trend, one.lines.level, one.lines.slope) == pytest.approx(tuple(coefficients[1:]))
    for time in one.by_time:
        assert time.ranked.estimate == pytest.approx(coefficients[2] + coefficients[3] * (time.year - START))
    main = results.main("rates.rate")
    assert main.estimate == one.overall.estimate
    assert main.effect_size.hedges_g == pytest.approx(main.estimate / 8)


def test_it_is_placed_among_all_areas(results):
    one = results.details.primary
    assert results.recommended == PERMUTATION
    assert one.overall.n_areas == N_AREAS
    assert one.overall.p_value * N_AREAS == pytest.approx(round(one.overall.p_value * N_AREAS))
    assert isinstance(one.overall.interval, Interval)
    assert results.main("rates.rate").permutation.n_areas == N_AREAS


def test_every_check_has_a_sentence_and_no_t_test_is_given(results):
    names = {one.name: one for one in results.findings}
    assert {"years", "breaks", "steadiness_before", "placebo_start", "given_before", "autocorrelation"} <= set(names)
    assert names["placebo_outcome"].verdict in Verdict
    assert names["years"].verdict is Verdict.REASSURING
    assert "none is given" in names["autocorrelation"].sentence
    assert all(isinstance(one.std_error, Unavailable) for one in results.effects)


def test_what_passing_is_worth_is_said(tmp_path, rows, results):
    by_lines = results.details.primary.placebo_power
    # a jump in the middle as large as 2.8 times what an effect is where nothing happened
    assert by_lines.violation == pytest.approx(2.8 * results.details.primary.overall.spread)
    by_levels = evaluated(tmp_path, rows, options=", slope: 'no'").details.primary
    assert by_levels.trend_power.violation == pytest.approx(2.8 * by_levels.overall.spread)
    assert by_levels.trend_power.at_half <= by_levels.trend_power.at_one <= by_levels.trend_power.at_twice


def test_other_choices_stand_beside_without_p(results, rows):
    beside = {one.name: one for one in results.details.primary.beside}
    wide = rows.pivot_table(index="area", columns="year", values="rate")
    gap = wide.loc["A00"] - wide.drop("A00").mean()
    before, after = gap[gap.index < START].mean(), gap[gap.index >= START].mean()
    assert beside["levels alone"].estimate == pytest.approx(after - before)
    others = [one for one in results.effects if one.design == "levels-alone"]
    assert all(isinstance(one.p_value, Unavailable) for one in others)


def test_documents_say_what_it_rests_on(results):
    assert "gone on as its line before" in shown.answer(results).text
    assert shown.units(results.plan) == "areas"
    for parts in (shown.design_parts(results.plan), shown.answer_parts(results), shown.review_parts(results)):
        assert parts
    assert set(shown.tables(results)) >= {"by_year", "outcomes", "findings", "other_choices"}
    drawing = shown.figure(results)
    assert drawing.png[:4] == b"\x89PNG"
    assert "2014" in drawing.alt
    json.dumps(effect_record(results.main("rates.rate"), results.project))
    json.dumps(results.extra)


def test_a_single_series_has_estimate_and_picture_and_no_p(alone, rows):
    one = alone.details.primary
    series = rows[rows["area"] == "A00"].set_index("year")["rate"]
    design = np.column_stack([np.ones(10), np.array(YEARS) - START])
    before = np.array(YEARS) < START
    line = np.linalg.lstsq(design[before], series.to_numpy()[before], rcond=None)[0]
    assert one.overall.estimate == pytest.approx((series.to_numpy() - design @ line)[~before].mean())
    assert isinstance(one.overall.p_value, Unavailable)
    assert "reject far too often" in one.overall.p_value.reason
    assert isinstance(one.overall.interval, Unavailable)
    assert alone.recommended == "none"
    assert "no p-value is given" in shown.answer(alone).text
    assert shown.figure(alone).png[:4] == b"\x89PNG"
    assert {one.name: one.verdict for one in alone.findings}["compared"] is Verdict.SERIOUS
    for parts in (shown.design_parts(alone.plan), shown.answer_parts(alone), shown.review_parts(alone)):
        assert parts


def test_a_break_of_level_before_the_start_leaves_the_years_before_it_out(tmp_path, rows):
    broken = ", breaks: [{before: 2010, after: 2011, kind: level, sentence: Counted anew.}]"
    found = evaluated(tmp_path, rows, breaks=broken)
    one = found.details.primary
    assert one.before == (2011, 2012, 2013)
    assert not one.has_slope  # three years before are too few for lines
    sentence = {one.name: one.sentence for one in found.findings}["breaks"]
    assert "Years up to 2010 are not compared: Counted anew." in sentence


def test_a_break_of_level_after_the_start_ends_the_series(tmp_path, rows):
    broken = ", breaks: [{before: 2015, after: 2016, kind: level, sentence: Counted anew.}]"
    one = evaluated(tmp_path, rows, breaks=broken).details.primary
    assert one.after == (2014, 2015)


def test_a_break_at_the_start_stops_it(tmp_path, rows):
    broken = ", breaks: [{before: 2013, after: 2014, kind: level, sentence: Counted anew.}]"
    with pytest.raises(DesignError, match="Counted anew"):
        evaluated(tmp_path, rows, breaks=broken)


def test_years_left_out_and_a_year_exposed_in_part(tmp_path, rows):
    one = evaluated(tmp_path / "a", rows, options=", without_years: [2015]").details.primary
    assert one.overall.estimate == pytest.approx(by_hand(rows, without=(2015,))[1])
    part = evaluated(tmp_path / "b", rows, first_year=", first_year: partial").details.primary
    assert part.plan.starts == {"A00": 2015}
    assert [point.at for point in part.points if not point.is_used] == [2014]
    assert part.before == tuple(range(2009, 2014))


def test_an_area_that_lacks_a_year_stands_in_for_nobody(tmp_path, rows):
    lacking = rows[~((rows["area"] == "A05") & (rows["year"] == 2016))]
    one = evaluated(tmp_path, lacking).details.primary
    assert one.overall.n_areas == N_AREAS - 1
    assert "A05" not in one.compared
    assert any(lost.units == ("A05",) for lost in one.left_out)
    whole = rows[rows["area"] != "A05"]
    assert one.overall.estimate == pytest.approx(by_hand(whole)[1])


def test_several_areas_with_their_own_starts(tmp_path, rows):
    who = "area,start\nA00,2013-09-01\nA01,2014-09-01\n"
    found = evaluated(tmp_path, rows, who=who)
    one = found.details.primary
    assert found.recommended == WHOLE_SETS
    assert one.plan.starts == {"A00": 2014, "A01": 2015}
    assert one.overall.n_draws == 9_999
    assert found.main("rates.rate").sets.n_treated_areas == 2
    assert [time.since for time in one.by_time] == [0, 1, 2, 3, 4]
    assert shown.figure(found).png[:4] == b"\x89PNG"


def test_areas_of_one_region_are_not_judged_by_areas_from_all_over(results):
    one = results.details.primary.plan
    ten = {f"A{n:02d}": START for n in range(10)}
    spread = replace(one, starts=ten, stand_ins=tuple(f"B{n}" for n in range(130)))
    assert spread.why_unranked == ""
    assert spread.recommended == WHOLE_SETS
    together = replace(spread, region="North West")
    # 140 areas hold 14 sets of ten that do not overlap
    assert "North West" in together.why_unranked
    assert "number 14, and 20 are needed" in together.why_unranked
    assert together.recommended == "none"
    assert replace(together, starts=dict(list(ten.items())[:2])).why_unranked == ""


def test_rows_in_another_order_and_other_names_change_nothing(tmp_path, rows, results):
    turned = rows.sample(frac=1, random_state=1)
    renamed = turned.assign(area=turned["area"].str.replace("A", "Z", regex=False))
    one = evaluated(tmp_path, renamed, who="area\nZ00\n").details.primary
    assert one.overall.estimate == pytest.approx(results.details.primary.overall.estimate)
    assert one.overall.p_value == results.details.primary.overall.p_value


def test_the_plan_knows_nothing_of_what_came_after(tmp_path, rows):
    later = rows.copy()
    later.loc[later["year"] >= START, "rate"] = 0.0
    plans = [
        open_design(str(project(tmp_path / name, one))).to_json() for name, one in (("a", rows), ("b", later))
    ]  # fmt: skip
    assert plans[0] == plans[1]
    assert json.loads(plans[0])["analyses"]["main"]["outcomes"]["rates.rate"]["years_before"] == [*range(2009, 2014)]


def test_lines_that_years_are_too_few_for_are_refused(tmp_path, rows):
    few = rows[rows["year"] >= 2011]
    with pytest.raises(DesignError, match=r"`slope: yes` needs 4 years before and 3 from the start"):
        evaluated(tmp_path, few, options=", slope: 'yes'")


def test_no_list_of_neighbours_is_said_with_its_remedy(tmp_path, rows):
    path = project(tmp_path, rows)
    path.write_text(path.read_text(encoding="utf-8").replace("comparison: all", "comparison: neighbours"))
    with pytest.raises(DesignError, match="`comparison: all`"):
        open_design(str(path))


def test_a_list_with_all_areas_is_refused(tmp_path, rows):
    with pytest.raises(ProjectError, match="no list is read"):
        open_design(str(project(tmp_path, rows, options=", neighbours: may_2025")))
