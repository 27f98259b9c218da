"""The kind `dose` on a project's own table: locked before outcomes, its line and what stands against those outside."""

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError, ProjectError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.dose.within import dose_slope
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.report.kinds import dose as shown
from evalkit.report.tables import dose as of_dose
from evalkit.run.notebooks.session import open_design, open_evaluation

YEARS = range(2015, 2019)
EFFECT = 0.5

PROJECT = """\
schema_version: 2
slug: days
title: Days of coaching
question: Did scores rise more where schools had more days?
programme:
  {{name: Coaching, place: some areas, funder: a fund, aim: more, start: 2016-09-01, end: 2018-07-31}}
data:
  kind: synthetic
  tables:
    scores: {{file: scores.csv, unit: school, period: year, area: la, name: called, pupils: pupils}}
    days: {{file: days.csv, unit: school}}
participants: {{file: participants.csv}}
exposure: {{pre: [2015, 2016], post: [2018]}}
outcomes:
  - {{table: scores, column: score, label: Score, unit: points, role: primary}}
  - {{table: scores, column: other, label: Other score, unit: points, role: placebo}}
analyses:
  - {{name: days, kind: dose, primary: true, per: coaching day, against: others{options}}}
"""


def made(folder, *, options="", n_areas=44, treated=(0,), order=None, seed=5, lacking=False, need=-0.6):
    """Write a project in which schools of some areas had more days the lower they stood; return its file and table."""
    rng = np.random.default_rng(seed)
    rows, listed, days = [], [], []
    for area in range(n_areas):
        moved = rng.normal(0, 0.3)
        for k in range(16):
            unit, level = f"s{area:02d}{k:02d}", rng.normal(100, 3)
            is_listed = area in treated and k < 12
            dose = float(np.clip(np.round(6 + need * (level - 100) + rng.normal(0, 2)), 0, 14)) if is_listed else 0.0
            days.append((unit, dose))
            if is_listed:
                listed.append((unit, "" if lacking and k == 3 else f"{dose:g}"))
            for year in YEARS:
                gain = EFFECT * dose + moved if year == 2018 else 0.0
                score, other = level + gain + rng.normal(), level + rng.normal()
                rows.append((unit, 301 + area, f"School {unit}", year, round(score, 3), round(other, 3), 9 + k))
    table = pd.DataFrame(rows, columns=["school", "la", "called", "year", "score", "other", "pupils"])
    folder.mkdir(parents=True, exist_ok=True)
    (table if order is None else table.sample(frac=1, random_state=order)).to_csv(folder / "scores.csv", index=False)
    participants = pd.DataFrame(listed, columns=["school", "dose"])
    (participants if order is None else participants[::-1]).to_csv(folder / "participants.csv", index=False)
    pd.DataFrame(days, columns=["school", "days"]).to_csv(folder / "days.csv", index=False)
    (folder / "project.yml").write_text(PROJECT.format(options=options), encoding="utf-8")
    return folder / "project.yml", table


@pytest.fixture(scope="module")
def one_area(tmp_path_factory):
    """A project with a threshold, its table and its evaluation."""
    path, table = made(tmp_path_factory.mktemp("dose"), options=", threshold: 6, comparison_take_up: none")
    return path, table, open_evaluation(str(path))


def changes(table):
    wide = table.pivot(index="school", columns="year", values="score")
    return wide[2018] - wide[[2015, 2016]].mean(axis=1), wide[[2015, 2016]].mean(axis=1)


def test_the_line_is_that_of_the_participants_and_judged_by_dealing_doses_out_anew(one_area):
    path, table, evaluation = one_area
    results = evaluation.primary
    participants = pd.read_csv(path.parent / "participants.csv").set_index("school")["dose"].sort_index()
    change, before = changes(table)
    own = change.loc[participants.index].to_numpy()
    columns = np.column_stack([np.ones(12), before.loc[participants.index], participants])
    by_hand = np.linalg.lstsq(columns, own, rcond=None)[0][-1]
    (main,) = [one for one in results.effects if one.is_main and one.outcome == "scores.score"]
    assert main.estimate == pytest.approx(by_hand, rel=1e-9)
    assert (main.inference, main.estimand, main.unit, main.n_treated) == (
        "dealt",
        "DOSE_SLOPE",
        "points per coaching day",
        12,
    )
    assert main.interval.lower < EFFECT < main.interval.upper
    assert main.p_value < 0.05
    same = dose_slope(
        own,
        participants.to_numpy(float),
        np.ones(12, dtype=np.int64),
        before.loc[participants.index].to_numpy()[:, None],
    )
    assert same.estimate == pytest.approx(main.estimate, rel=1e-12)


def test_against_others_the_effect_on_all_is_divided_by_the_share_that_met_the_threshold(one_area):
    path, table, evaluation = one_area
    found = evaluation.primary.details.primary
    participants = pd.read_csv(path.parent / "participants.csv").set_index("school")["dose"]
    change, _ = changes(table)
    others = table.loc[table["la"] != 301, "school"].unique()
    whole = change.loc[participants.index].mean() - change.loc[others].mean()
    assert found.whole.estimate == pytest.approx(whole, rel=1e-9)
    share = (participants >= 6).mean()
    assert found.threshold.share == pytest.approx(share)
    assert found.threshold.estimate == pytest.approx(whole / share, rel=1e-9)
    assert found.threshold.interval == found.whole.interval.divided(found.threshold.share)
    assert found.threshold.n_met == (participants >= 6).sum()
    assert found.threshold.n_some == ((participants > 0) & (participants < 6)).sum()
    assert isinstance(found.shock.interval, Interval)
    assert found.shock.sets.n_areas == 44
    assert found.shock.interval.lower < EFFECT < found.shock.interval.upper


def test_a_dose_that_follows_need_is_told_before_outcomes_and_as_a_finding(one_area):
    _, _, evaluation = one_area
    results = evaluation.primary
    thirds = of_dose.thirds_before(results.plan.details).table
    before = [row[-1] for row in thirds.rows if row[0] == "Score"]
    assert before[0] > before[-1]
    (need,) = [one for one in results.findings if one.name == "dose_follows_need"]
    assert need.verdict == "serious"
    assert "Nobody drew lots" in need.sentence
    assert "below the third with the least" in need.sentence
    low = results.plan.details.primary.level
    assert results.plan.details.primary.need < 0
    assert len(low) == 12


def test_sentences_say_what_the_design_allows(one_area):
    _, _, evaluation = one_area
    results = evaluation.primary
    found, options = results.details.primary, results.details.plan.options
    told = " ".join(
        (
            *shown.answer(results).sentences,
            *shown.certainty(results).sentences,
            *shown.limits(results).sentences,
            shown.whom(results.plan),
            *shown.threshold_sentences(found, options),
        )
    )
    assert "each coaching day more went with a change" in told
    assert "if trends are parallel, and the offer did nothing to those below it" in told
    assert "LATE" not in told
    assert "12 participants" in told
    for part in (*shown.design_parts(results.plan), *shown.answer_parts(results), *shown.review_parts(results)):
        assert repr(part)
    assert set(shown.tables(results)) >= {"dose_slopes", "dose_thirds", "dose_against", "findings"}


def test_points_that_rest_on_few_pupils_are_not_drawn(tmp_path):
    path, table = made(tmp_path, n_areas=3)
    few = table["school"].eq("s0000") & table["year"].eq(2016)
    table.assign(pupils=table["pupils"].where(~few, 3)).to_csv(path.parent / "scores.csv", index=False)
    results = open_evaluation(str(path)).primary
    points = results.details.primary.points
    assert (len(points.dose), points.n_hidden) == (11, 1)
    assert "1 participant with results of few pupils not drawn" in shown.dose_figure(results).caption


def test_results_keep_their_schema_and_units_are_per_unit_of_dose(one_area):
    _, _, evaluation = one_area
    record = json.loads(results_json(results_record(evaluation)))
    jsonschema.validate(record, results_schema())
    main = next(one for one in record["analyses"][0]["effects"] if one.get("main"))
    assert main["unit"] == "points per coaching day"
    from evalkit.report.tables.analyses import answers

    assert any("points per coaching day" in str(row[0]) for row in answers(evaluation).table.rows)


def test_the_design_holds_no_later_outcome_and_no_order_of_rows(tmp_path, one_area):
    first = open_design(str(one_area[0])).to_json()
    other, _ = made(tmp_path, options=", threshold: 6, comparison_take_up: none", order=3)
    scores = pd.read_csv(other.parent / "scores.csv")
    later = scores["year"] >= 2017
    scores.loc[later, "score"] = np.random.default_rng(1).permutation(scores.loc[later, "score"].to_numpy()) + 7
    scores.to_csv(other.parent / "scores.csv", index=False)
    assert open_design(str(other)).to_json() == first
    record = json.loads(first)["analyses"]["days"]["outcomes"]["scores.score"]
    assert record["participants"] == 12
    assert record["need"] < -0.25
    assert [third[3] for third in record["thirds"]] == [4, 4, 4] or sum(third[3] for third in record["thirds"]) == 12


def test_results_do_not_depend_on_the_order_of_rows(tmp_path, one_area):
    path, _ = made(tmp_path, options=", threshold: 6, comparison_take_up: none", order=8)
    other = open_evaluation(str(path)).primary
    for one, two in zip(one_area[2].primary.effects, other.effects, strict=True):
        for key in ("estimate", "p_value"):
            assert getattr(one, key) == pytest.approx(getattr(two, key), rel=1e-9), (one.design, key)


def test_take_up_outside_is_observed_in_every_placebo(tmp_path):
    path, _ = made(tmp_path, options=", column: days.days, threshold: 6, comparison_take_up: observed")
    found = open_evaluation(str(path)).primary.details.primary
    # nobody outside had any, so that the observed and the declared give the same
    declared, _ = made(tmp_path / "two", options=", column: days.days, threshold: 6, comparison_take_up: none")
    same = open_evaluation(str(declared)).primary.details.primary
    assert found.threshold.estimate == pytest.approx(same.threshold.estimate, rel=1e-9)
    assert found.threshold.interval.lower == pytest.approx(same.threshold.interval.lower, abs=1e-6)
    assert found.threshold.interval.upper == pytest.approx(same.threshold.interval.upper, abs=1e-6)
    days = pd.read_csv(path.parent / "days.csv")
    is_outside = ~days["school"].str.startswith("s00")
    days.loc[is_outside & (np.arange(len(days)) % 3 == 0), "days"] = 8
    days.to_csv(path.parent / "days.csv", index=False)
    some = open_evaluation(str(path)).primary.details.primary
    assert some.threshold.share < found.threshold.share - 0.2
    assert some.threshold.estimate > found.threshold.estimate
    assert some.threshold.values.shape == "interval"
    days.loc[is_outside, "days"] = np.where(np.arange(int(is_outside.sum())) % 7, 5.0, np.nan)
    days.to_csv(path.parent / "days.csv", index=False)
    with pytest.raises(DesignError, match=r"have no value in 'days\.days'"):
        open_design(str(path))


def test_many_treated_areas_are_judged_by_errors_by_area(tmp_path):
    path, table = made(
        tmp_path,
        n_areas=34,
        treated=tuple(range(25)),
        options=", column: days.days, threshold: 6, comparison_take_up: observed",
    )
    found = open_evaluation(str(path)).primary.details.primary
    assert found.shock.sets is None
    assert found.shock.df > 2
    assert found.shock.interval.lower < EFFECT < found.shock.interval.upper
    change, _ = changes(table)
    area = table.drop_duplicates("school").set_index("school")["la"]
    listed = found.plan.dose.index
    whole = change.loc[listed].mean() - change[area.reindex(change.index) > 325].mean()
    assert found.whole.estimate == pytest.approx(whole, rel=1e-9)
    assert found.threshold.values.shape == "interval"
    assert found.threshold.interval.lower < found.threshold.estimate < found.threshold.interval.upper


def test_an_unknown_dose_is_refused_or_left_out_of_the_line(tmp_path):
    path, _ = made(tmp_path, lacking=True, n_areas=3)
    with pytest.raises(DesignError, match=r"not known of 1 participant of 12 \(s0003\)"):
        open_design(str(path))
    path, _ = made(tmp_path, lacking=True, n_areas=3, options=", unknown_dose: leave_out, threshold: 6")
    found = open_evaluation(str(path)).primary.details.primary
    assert found.slope.n == 11
    assert found.whole.n_listed == 12
    assert isinstance(found.threshold, Unavailable)
    assert [one.reason for one in found.left_out] == ["its dose is not known"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (", threshold: 0", "a dose above 0"),
        (", covariates: [wealth]", "'wealth' is not among"),
        (", column: days", "is no column of an own table"),
        (", column: scores.score", "has a row for each period"),
        (", comparison_take_up: none", "it is told of a threshold"),
        (", threshold: 3, comparison_take_up: observed", "take-up outside the programme is observed"),
        (", ratio: 3", "kind `dose` has no such key"),
    ],
)
def test_options_that_do_not_go_together_are_complaints_of_the_file(tmp_path, options, said):
    path, _ = made(tmp_path, options=options, n_areas=3)
    with pytest.raises(ProjectError, match=said):
        open_design(str(path))


def test_without_neighbours_it_says_whom_else_to_set_against(tmp_path):
    path, _ = made(tmp_path, n_areas=3)
    path.write_text(path.read_text().replace("against: others", "against: neighbours"))
    with pytest.raises(DesignError, match=r"say `against: others`: all other areas\. Or say `against: none`"):
        open_design(str(path))
    path.write_text(path.read_text().replace("against: neighbours", "against: none"))
    found = open_evaluation(str(path)).primary.details.primary
    assert isinstance(found.shock, Unavailable)
    assert isinstance(found.slope.estimate, float)


def test_power_reads_no_year_after_the_start(one_area):
    from evalkit.diagnose.power.analyses import dose_power
    from evalkit.diagnose.power.report import PowerOptions

    plan = one_area[2].primary.plan.details
    assert plan.project.exposure.post == (2018,)
    results = one_area[2].primary.details.primary
    assert results.least > 0
    late = type("Intake", (), {"years": (2015, 2016, 2018)})()
    with pytest.raises(DesignError, match="before outcomes are read"):
        next(dose_power(plan, "days", late, PowerOptions()))


def test_whole_areas_have_a_line_where_a_table_says_what_each_school_had(tmp_path):
    path, table = made(tmp_path, options=", column: days.days")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{file: participants.csv}", "{areas: [301]}"), encoding="utf-8")
    results = open_evaluation(str(path)).primary
    change, before = changes(table)
    own = sorted(table.loc[table["la"] == 301, "school"].unique())
    dose = pd.read_csv(tmp_path / "days.csv").set_index("school")["days"]
    columns = np.column_stack([np.ones(len(own)), before.loc[own], dose.loc[own]])
    by_hand = np.linalg.lstsq(columns, change.loc[own].to_numpy(), rcond=None)[0][-1]
    main = results.main("scores.score")
    assert (main.estimate, main.n_treated) == (pytest.approx(by_hand), 16)
    whole = next(one for one in results.effects if one.design == "listed" and one.outcome == "scores.score")
    # every area has as many schools: all of the area's less the mean of the others
    others = change.drop(own)
    assert whole.estimate == pytest.approx(change.loc[own].mean() - others.mean())
    assert (whole.estimand, whole.sets.is_whole) == ("AREA_ITT", True)


def test_whole_areas_without_doses_are_refused_with_what_is_lacking(tmp_path):
    path, _ = made(tmp_path, n_areas=3)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{file: participants.csv}", "{areas: [301]}"), encoding="utf-8")
    with pytest.raises(ProjectError, match="nothing says what each of their schools had"):
        open_design(str(path))
