"""What becomes of an effect after the programme's end: planted, found, and by hand."""

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.evaluation import WHILE_IT_RAN
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.report.tables.subgroups import WHETHER_IT_LASTS, evaluation_tables, judged_together
from evalkit.run.kinds.lasting import EVERY_YEAR
from evalkit.run.notebooks.session import open_evaluation

N_AREAS, N_SCHOOLS, RAN, LATER = 30, 8, 6.0, 2.0

PROJECT = """\
schema_version: 2
slug: lasting
title: Lasting
question: Did it last?
programme: {{name: Lasting, place: here, funder: a fund, aim: more, start: 2013-09-01, end: {end}}}
data:
  kind: synthetic
  tables:
    scores: {{file: scores.csv, unit: school, period: year, area: la}}
    days: {{file: days.csv, unit: school}}
participants: {{file: listed.csv}}
pool: {{minimum_treated: 4}}
exposure: {{pre: [2012, 2013], post: [2015, 2016, 2017, 2018]}}
outcomes:
  - {{table: scores, column: score, label: Score, unit: points, role: primary}}
analyses:
  - {{name: main, primary: true, {kind}}}
"""
MATCHED = "kind: matched, covariates: [scores.score]"
DOSE = "kind: dose, against: none, column: days.days, per: day, covariates: []"


@pytest.fixture(scope="module")
def rows():
    """Return schools of which the odd ones of two areas gain 6 points to 2016 and 2 afterwards; days of each."""
    rng, found = np.random.default_rng(5), []
    for area in range(N_AREAS):
        shock = rng.normal(0, 0.2, 7).cumsum()
        for k in range(N_SCHOOLS):
            base, days = rng.normal(50, 3), int(rng.integers(1, 9))
            is_listed = area < 2 and k % 2 == 1
            for at, year in enumerate(range(2012, 2019)):
                gain = is_listed * ((RAN if year <= 2016 else LATER) if year >= 2014 else 0.0)
                found.append(
                    (f"s{area:02d}{k}", 301 + area, year, base + shock[at] + gain + rng.normal(0, 0.5), days, is_listed)
                )
    return pd.DataFrame(found, columns=["school", "la", "year", "score", "days", "is_listed"]).round(3)


def evaluated(folder, rows, kind, end="2016-08-31"):
    rows[["school", "la", "year", "score"]].to_csv(folder / "scores.csv", index=False)
    rows.groupby("school")[["days"]].first().reset_index().to_csv(folder / "days.csv", index=False)
    rows.loc[rows["is_listed"], ["school"]].drop_duplicates().to_csv(folder / "listed.csv", index=False)
    (folder / "project.yml").write_text(PROJECT.format(kind=kind, end=end), encoding="utf-8")
    return open_evaluation(str(folder / "project.yml"))


def test_what_faded_is_found_and_placed_among_the_same_difference_elsewhere(tmp_path, rows):
    evaluation = evaluated(tmp_path, rows, MATCHED)
    found = evaluation.primary.lasting
    assert (found.during, found.after) == ((2015, 2016), (2017, 2018))
    effects = {one.words: one.effect.estimate for one in found.effects}
    assert list(effects) == [WHILE_IT_RAN, "2017", "2018"]
    assert effects[WHILE_IT_RAN] == pytest.approx(RAN, abs=0.8)
    assert effects["2018"] == pytest.approx(LATER, abs=0.8)
    for one in found.differences:
        assert one.difference.estimate == pytest.approx(effects[one.first] - effects[WHILE_IT_RAN])
        assert one.difference.estimate == pytest.approx(LATER - RAN, abs=0.8)
        assert one.difference.p_value < 0.05
    # the answer stays that of all four years: as many of 6 as of 2
    assert evaluation.primary.main("scores.score").estimate == pytest.approx((RAN + LATER) / 2, abs=0.8)
    record = json.loads(results_json(results_record(evaluation)))
    jsonschema.validate(record, results_schema())
    assert record["analyses"][0]["lasting"]["after"] == [2017, 2018]
    said = judged_together(evaluation)._repr_html_()
    assert WHETHER_IT_LASTS in said
    assert "chance alone would hardly make them differ so much" in said
    assert {"lasting", "differences_lasting"} <= set(evaluation_tables(evaluation))


def test_the_difference_of_slopes_by_hand(tmp_path, rows):
    dosed = rows.assign(
        score=rows["score"] + rows["is_listed"] * rows["days"] * (rows["year"].isin((2015, 2016)) * 0.5)
    )
    found = evaluated(tmp_path, dosed, DOSE).primary.lasting
    own = dosed[dosed["is_listed"]]
    wide = own.pivot(index="school", columns="year", values="score")
    about = own.groupby("school")[["la", "days"]].first()
    # of each school 2018 less the mean of 2015 and 2016, on days, both less their areas' means
    change = wide[2018] - wide[[2015, 2016]].mean(axis=1)
    y, x = (one - one.groupby(about["la"]).transform("mean") for one in (change, about["days"]))
    made = next(one for one in found.differences if one.first == "2018").difference
    assert made.estimate == pytest.approx((x * y).sum() / (x * x).sum())
    assert made.over == "dealings"


def test_a_programme_without_years_after_its_end_says_so(tmp_path, rows):
    evaluation = evaluated(tmp_path, rows, MATCHED, end="2018-07-31")
    assert isinstance(evaluation.primary.lasting, Unavailable)
    assert "31 July 2018" in evaluation.primary.lasting.reason
    assert "31 July 2018" in judged_together(evaluation)._repr_html_()
    record = json.loads(results_json(results_record(evaluation)))
    assert "whether an effect lasts is not known" in record["analyses"][0]["lasting"]["unavailable"]


def test_a_programme_that_ended_before_every_year_says_so(tmp_path, rows):
    found = evaluated(tmp_path, rows, MATCHED, end="2014-08-31").primary.lasting
    assert "there is none while it ran" in found.reason


def test_a_kind_that_follows_every_year_points_at_its_own_tables(tmp_path, rows):
    kind = "kind: staggered"
    text = PROJECT.replace("exposure: {{pre: [2012, 2013], post: [2015, 2016, 2017, 2018]}}\n", "")
    rows[["school", "la", "year", "score"]].to_csv(tmp_path / "scores.csv", index=False)
    rows.groupby("school")[["days"]].first().reset_index().to_csv(tmp_path / "days.csv", index=False)
    listed = rows.loc[rows["is_listed"], ["school"]].drop_duplicates().assign(start="2013-09-01")
    listed.to_csv(tmp_path / "listed.csv", index=False)
    (tmp_path / "project.yml").write_text(text.format(kind=kind, end="2016-08-31"), encoding="utf-8")
    assert open_evaluation(str(tmp_path / "project.yml")).primary.lasting == EVERY_YEAR
