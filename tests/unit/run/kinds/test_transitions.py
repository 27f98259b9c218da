"""The kind `transitions` on a project's own table: matrices by arm, and the difference judged by sets."""

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError, ProjectError
from evalkit.core.quantities import Interval
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.report.kinds import transitions as shown
from evalkit.run.notebooks.session import open_design, open_evaluation

PROJECT = """\
schema_version: 2
slug: grades
title: Grades of inspectors
question: Did more schools move to a better grade?
programme:
  {{name: Partners, place: some areas, funder: a fund, aim: more, start: 2016-09-01, end: 2018-07-31}}
data:
  kind: synthetic
  tables:
    grades: {{file: grades.csv, unit: school, period: year, area: la}}
participants: {{file: participants.csv}}
exposure: {{pre: [2015, 2016], post: [2018]}}
outcomes:
  - {{table: grades, column: grade, label: Grade, unit: category, direction: lower, role: primary}}
analyses:
  - {{name: grades, kind: transitions, primary: true, against: others{options}}}
"""
CATEGORIES = ', categories: {"1": Outstanding, "2": Good, "3": Requires improvement, "4": Inadequate}'


def made(folder, *, options=CATEGORIES, n_areas=44, order=None, low=False, odd=False):
    """Write a project in which the listed schools of one area moved up more often; return its file and its table."""
    rng = np.random.default_rng(11)
    rows, listed = [], []
    for area in range(n_areas):
        for k in range(16):
            unit = f"s{area:02d}{k:02d}"
            is_listed = area == 0 and k < 12
            first = int(rng.choice([1, 2, 3, 4], p=[0.1, 0.5, 0.3, 0.1])) if not (is_listed and low) else 4
            before = first
            moved = rng.random() < (0.75 if is_listed else 0.2)
            after = max(before - 1, 1) if moved else min(before + int(rng.random() < 0.1), 4)
            rows += [(unit, 301 + area, 2015, first), (unit, 301 + area, 2016, before), (unit, 301 + area, 2018, after)]
            listed += [(unit,)] if is_listed else []
    table = pd.DataFrame(rows, columns=["school", "la", "year", "grade"])
    if odd:
        table.loc[0, "grade"] = table.loc[1, "grade"] = 9
    folder.mkdir(parents=True, exist_ok=True)
    (table if order is None else table.sample(frac=1, random_state=order)).to_csv(folder / "grades.csv", index=False)
    pd.DataFrame(listed, columns=["school"]).to_csv(folder / "participants.csv", index=False)
    (folder / "project.yml").write_text(PROJECT.format(options=options), encoding="utf-8")
    return folder / "project.yml", table


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    path, table = made(tmp_path_factory.mktemp("grades"))
    return path, table, open_evaluation(str(path))


def test_the_matrix_and_the_difference_are_those_of_the_table(grades):
    path, table, evaluation = grades
    results = evaluation.primary
    one = results.details.primary
    wide = table.pivot(index="school", columns="year", values="grade")
    listed = pd.read_csv(path.parent / "participants.csv")["school"]
    others = table.loc[table["la"] != 301, "school"].unique()
    for arm, units in (("listed", listed), ("compared", others)):
        own = wide.loc[units]
        counts = pd.crosstab(own[2016], own[2018]).reindex(index=range(1, 5), columns=range(1, 5), fill_value=0)
        np.testing.assert_array_equal(one.arms[arm].matrix.counts, counts.to_numpy())
    improved = 100.0 * (wide[2018] < wide[2016])
    # the areas have 16 schools each, so that the mean of the others is that of their areas
    assert one.against["improved"].estimate == pytest.approx(
        improved.loc[listed].mean() - improved.loc[others].mean(), rel=1e-9
    )
    rate = improved.loc[others].groupby(wide.loc[others, 2016]).mean()
    given = improved - wide[2016].map(rate)
    assert one.against["improved_given_before"].estimate == pytest.approx(given.loc[listed].mean(), abs=1e-9)
    (main,) = [effect for effect in results.effects if effect.is_main]
    assert (main.inference, main.unit, main.n_treated) == ("sets", "percentage points", 12)
    assert isinstance(main.interval, Interval)
    assert main.p_value == pytest.approx(1 / 44, abs=0.03)


def test_documents_say_it_and_results_keep_their_schema(grades):
    _, _, evaluation = grades
    results = evaluation.primary
    told = " ".join((*shown.answer(results).sentences, *shown.certainty(results).sentences))
    assert "of the 12 listed schools were in a better category after" in told
    assert "McNemar–Bowker" in told
    assert "Given the category that each school was in before" in told
    for part in (*shown.design_parts(results.plan), *shown.answer_parts(results), *shown.review_parts(results)):
        assert repr(part)
    matrix = shown.tables(results)["transitions_listed"].table
    assert matrix.rows[-1][-1] == 12
    arm = results.details.primary.arms["listed"].matrix
    shares = shown.tables(results)["transitions_shares"].table.rows[0]
    # Wilson (1927) by hand: the roots of (p̂ − p)² = z² p(1 − p)/n
    z, share = 1.959963984540054, arm.n_improved / 12
    roots = np.sort(np.roots([1 + z**2 / 12, -(2 * share + z**2 / 12), share**2]))
    assert shares[1:5] == (12, arm.n_improved, arm.n_declined, pytest.approx(100 * share))
    assert (shares[5].lower, shares[5].upper) == pytest.approx(tuple(100 * roots))
    record = json.loads(results_json(results_record(evaluation)))
    jsonschema.validate(record, results_schema())


def test_the_design_holds_no_later_category_and_no_order_of_rows(grades, tmp_path):
    first = open_design(str(grades[0])).to_json()
    other, _ = made(tmp_path, order=3)
    table = pd.read_csv(other.parent / "grades.csv")
    table.loc[table["year"] == 2018, "grade"] = 4
    table.to_csv(other.parent / "grades.csv", index=False)
    assert open_design(str(other)).to_json() == first


def test_a_list_that_stands_low_is_set_beside_sets_like_it(tmp_path):
    path, _ = made(tmp_path, low=True, n_areas=4)
    plan = open_design(str(path)).primary.details.primary
    assert plan.against.sets.below > 0.25
    assert plan.against.sets.rule == "like"


def test_what_is_no_category_is_refused(tmp_path):
    path, _ = made(tmp_path, odd=True, n_areas=4)
    with pytest.raises(DesignError, match="holds 9, which is none of the categories"):
        open_design(str(path))


@pytest.mark.parametrize(
    ("options", "said"),
    [("", "name every category"), (", categories: {best: Good, worst: Poor}", "'best' is no number")],
)
def test_categories_are_complained_of_in_the_file(tmp_path, options, said):
    path, _ = made(tmp_path, options=options, n_areas=3)
    with pytest.raises(ProjectError, match=said):
        open_design(str(path))
