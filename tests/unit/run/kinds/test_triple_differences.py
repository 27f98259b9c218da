"""Triple differences in kinds that take them as outcomes: the same as of a column that holds the difference."""

import numpy as np
import pandas as pd
import pytest

from evalkit.run.notebooks.session import open_design, open_evaluation

PROJECT = """\
schema_version: 2
slug: gaps
title: Aimed at, and not
question: Did what was aimed at rise more than what was not?
programme: {{name: Aims, place: some areas, funder: a fund, aim: more, start: 2016-09-01, end: 2018-07-31}}
data:
  kind: synthetic
  tables: {{scores: {{file: scores.csv, unit: school, period: year, area: la}}}}
participants: {{file: participants.csv}}
exposure: {{pre: [2015, 2016], post: [2018]}}
outcomes:
  - {{table: scores, column: reading, label: Reading, unit: months, role: primary}}
  - {{table: scores, column: maths, label: Maths, unit: months, role: placebo}}
  - {{table: scores, column: gap, label: Gap, unit: months, role: secondary}}
contrasts: [{{measure: scores.reading, minus: scores.maths}}]
analyses: [{{name: main, primary: true, {kind}}}]
"""


MATCHED = "kind: matched, covariates: [scores.reading]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project's files: 12 listed schools of one area, 24 others of three, one result missing."""
    folder, rng, rows = tmp_path_factory.mktemp("gaps"), np.random.default_rng(4), []
    for k in range(36):
        area = 301 if k < 12 else 302 + k % 3
        for year in range(2015, 2019):
            reading, maths = np.round(rng.normal(100, 3, 2) + 2 * (area == 301 and year > 2016), 3)
            rows.append((f"s{k:02d}", area, year, reading, maths, round(reading - maths, 3)))
    table = pd.DataFrame(rows, columns=["school", "la", "year", "reading", "maths", "gap"])
    table.loc[1, ["maths", "gap"]] = np.nan
    table.to_csv(folder / "scores.csv", index=False)
    listed = pd.DataFrame({"school": [f"s{k:02d}" for k in range(12)], "dose": np.arange(12) % 5})
    listed.to_csv(folder / "participants.csv", index=False)
    return folder


@pytest.mark.parametrize("kind", ["kind: staggered", "kind: dose, against: none", MATCHED])
def test_a_triple_difference_is_that_of_a_column_with_the_difference(folder, kind):
    path = folder / "project.yml"
    path.write_text(PROJECT.format(kind=kind), encoding="utf-8")
    results = open_evaluation(str(path)).primary
    main = {one.outcome: one for one in results.effects if one.is_main}
    assert set(main) == {"scores.reading", "scores.maths", "scores.gap", "scores.reading-scores.maths"}
    own, column = main["scores.reading-scores.maths"], main["scores.gap"]
    assert own.role == "contrast"
    assert own.estimate == pytest.approx(column.estimate, rel=1e-9)
    assert own.n_treated == column.n_treated
    other = main["scores.reading"].estimate - main["scores.maths"].estimate
    assert own.estimate != pytest.approx(other, abs=1e-9)  # a school without maths is in no difference
    assert "scores.reading-scores.maths" in results.plan.record["outcomes"]


def test_the_design_of_a_triple_difference_holds_no_later_outcome(folder):
    path = folder / "project.yml"
    path.write_text(PROJECT.format(kind="kind: dose, against: none"), encoding="utf-8")
    first = open_design(str(path)).to_json()
    table = pd.read_csv(folder / "scores.csv")
    later = table["year"] > 2016
    changed = table.assign(**{name: table[name].where(~later, 7.0) for name in ("reading", "maths", "gap")})
    changed.to_csv(folder / "scores.csv", index=False)
    try:
        assert open_design(str(path)).to_json() == first
    finally:
        table.to_csv(folder / "scores.csv", index=False)


def test_a_matched_triple_difference_is_found_on_the_match_of_its_first_outcome(folder):
    path = folder / "project.yml"
    path.write_text(PROJECT.format(kind="kind: matched"), encoding="utf-8")
    results = open_evaluation(str(path)).primary
    by_outcome = {one.plan.outcome: one for one in results.details.outcomes}
    gap, first = by_outcome["scores.reading-scores.maths"], by_outcome["scores.reading"]
    # s00 has no maths of 2016, so that it is in no difference; the others of the list find the partners that they have
    table = pd.read_csv(folder / "scores.csv")
    wide = {name: table.pivot(index="school", columns="year", values=name) for name in ("reading", "maths")}
    pairs = gap.design.pair_table()
    assert set(pairs["treated"]) == {f"s{k:02d}" for k in range(1, 12)}
    assert list(gap.plan.everyone.covariates) == list(first.plan.everyone.covariates)
    # by hand: mean over pairs of the treated's change in reading less that in maths, less the partner's
    change = {name: one[2018] - one[[2015, 2016]].mean(axis=1) for name, one in wide.items()}
    more = change["reading"] - change["maths"]
    by_hand = (more[pairs["treated"]].to_numpy() - more[pairs["comparison"]].to_numpy()).mean()
    main = results.main("scores.reading-scores.maths")
    assert main.estimate == pytest.approx(by_hand)
    assert main.role == "contrast"
