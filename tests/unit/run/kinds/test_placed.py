"""Subgroups and families of kinds that place areas, sets or dealings: planted effects are found, and by hand."""

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.evaluation import FamilyTest
from evalkit.diagnose.kinds import matched
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.report.tables.subgroups import families, judged_together, subgroup_differences
from evalkit.run.notebooks.session import open_design, open_evaluation
from tests.unit.estimate.areas.test_places import by_definition

START, EFFECT, N_AREAS = 2014, 6.0, 44

PROJECT = """\
schema_version: 2
slug: parts
title: Parts of areas
question: Did it do more for some?
programme: {{name: Parts, place: here, funder: a fund, aim: more, start: 2013-09-01, end: 2018-07-31}}
data:
  kind: synthetic
  tables:
    scores: {{file: scores.csv, unit: school, period: year, area: la}}
    kinds: {{file: kinds.csv, unit: school}}
participants: {who}
pool: {{minimum_treated: 4}}
exposure: {{pre: [2012, 2013], post: [2018]}}
outcomes:
  - {{table: scores, column: score, label: Score, unit: points, role: primary}}
  - {{table: scores, column: other, label: Other score, unit: points, role: secondary}}
  - {{table: scores, column: noise, label: Third score, unit: points, role: secondary}}
families: [{{name: Scores, outcomes: [scores.score, scores.other, scores.noise]{analyses}}}]
analyses:
  - {{name: main, primary: true{by}, {kind}}}
{more}
"""
CATEGORIES = 'kind: transitions, against: others, categories: {{"1": Best, "2": Good, "3": Fair, "4": Poor}}'


def table(n_treated=1, effect=EFFECT):
    """Return ten schools in each area over eleven years; those of kind `a` in the first areas gain `effect`."""
    rng, rows = np.random.default_rng(4), []
    for area in range(N_AREAS):
        shock, level = rng.normal(0, 0.3, 11).cumsum(), rng.normal(0, 2)
        for k in range(10):
            base, days = rng.normal(50, 3), int(rng.integers(0, 9))
            for at, year in enumerate(range(2008, 2019)):
                gain = effect * (area < n_treated and k % 2 == 0 and year >= START)
                score, other = base + level + shock[at] + gain + rng.normal(), base + shock[at] / 2 + rng.normal()
                rows.append((f"s{area:02d}{k}", 301 + area, year, score, other, rng.normal(), "ab"[k % 2], days))
    names = ["school", "la", "year", "score", "other", "noise", "group", "days"]
    return pd.DataFrame(rows, columns=names).round(3)


def written(folder, rows, kind, *, who="{areas: [301]}", by=", by: kinds.group", more="", analyses=""):
    rows.drop(columns=["group", "days"]).to_csv(folder / "scores.csv", index=False)
    rows.groupby("school")[["group", "days"]].first().reset_index().to_csv(folder / "kinds.csv", index=False)
    text = PROJECT.format(who=who, by=by, kind=kind, more=more, analyses=analyses)
    (folder / "project.yml").write_text(text, encoding="utf-8")
    return folder / "project.yml"


def effects_of(found, outcome="scores.score"):
    return {one.words: one.effect for one in found.effects if one.outcome == outcome}


def difference_of(found, outcome="scores.score"):
    return next(one.difference for one in found.interactions if one.outcome == outcome)


def tell(evaluation):
    """Return the texts of all that is shown of subgroups and families, results.json being as its schema says."""
    jsonschema.validate(json.loads(results_json(results_record(evaluation))), results_schema())
    return judged_together(evaluation)._repr_html_()


@pytest.fixture(scope="module")
def rows():
    return table()


SERIES = "kind: series, comparison: all"


@pytest.mark.parametrize("kind", [SERIES, "kind: synthetic"])
def test_a_planted_difference_is_found_in_whole_areas_and_ranked_in_every_other(tmp_path, rows, kind):
    evaluation = open_evaluation(str(written(tmp_path, rows, kind)))
    [found] = evaluation.primary.subgroups
    own = effects_of(found)
    assert own["a"].estimate == pytest.approx(EFFECT, abs=1.5)
    assert abs(own["b"].estimate) < 1.5
    made = difference_of(found)
    assert made.estimate == pytest.approx(own["a"].estimate - own["b"].estimate)
    assert (made.n_areas, made.over) == (N_AREAS, "areas")
    assert made.p_value == pytest.approx(1 / N_AREAS)
    assert isinstance(made.interval, Interval)
    nothing = difference_of(found, "scores.other")
    assert nothing.p_value > 0.05
    said = tell(evaluation)
    assert "in every area that has both" in said
    assert "Areas treated" in said
    assert "Schools treated" not in said
    record = json.loads(open_design(str(tmp_path / "project.yml")).to_json())["analyses"]["main"]
    assert set(record["subgroups"]["kinds.group"]) == {"a", "b"}


def test_the_difference_of_series_is_that_of_every_area_by_hand(tmp_path, rows):
    found = open_evaluation(str(written(tmp_path, rows, f"{SERIES}, slope: no"))).primary.subgroups[0]
    wide = rows.groupby(["group", "la", "year"])["score"].mean().unstack("year")
    change = wide[[y for y in wide if y >= START]].mean(axis=1) - wide[[y for y in wide if y < START]].mean(axis=1)
    # by levels the effect is the change of an area less the mean change of all others but the treated one
    less = {}
    for group in "ab":
        own = change[group]
        total, n = own.drop(301).sum(), N_AREAS - 1
        less[group] = {a: own[a] - (total / n if a == 301 else (total - own[a]) / (n - 1)) for a in own.index}
    by_area = pd.Series(less["a"]) - pd.Series(less["b"])
    made = difference_of(found)
    assert made.estimate == pytest.approx(by_area[301])
    assert made.p_value == pytest.approx((by_area.abs() >= abs(by_area[301]) - 1e-9).mean())


def test_a_family_of_series_is_judged_by_step_down_over_every_area(tmp_path, rows):
    evaluation = open_evaluation(str(written(tmp_path, rows, f"{SERIES}, slope: no", by="")))
    [family] = evaluation.families
    wide = rows.groupby(["la", "year"])[["score", "other", "noise"]].mean()
    changes = []
    for name in ("score", "other", "noise"):
        one = wide[name].unstack("year")
        change = one[[y for y in one if y >= START]].mean(axis=1) - one[[y for y in one if y < START]].mean(axis=1)
        others = change.drop(301)
        means = (others.sum() - others) / (N_AREAS - 2)
        changes.append([change[301] - others.mean(), *(others - means)])
    values = np.array(changes).T
    assert [one.p_adjusted for one in family.tests] == pytest.approx(by_definition(values[0], values[1:]))
    assert family.n_areas == N_AREAS
    assert [one.p_value for one in family.tests] == [
        evaluation.primary.main(one.outcome).p_value for one in family.tests
    ]


@pytest.mark.parametrize("kind", [f"{SERIES}", "kind: synthetic, draws: 99"])
def test_several_areas_are_drawn_once_for_both_subgroups(tmp_path, kind):
    path = written(tmp_path, table(n_treated=3), kind, who="{areas: [301, 302, 303]}")
    evaluation = open_evaluation(str(path))
    made = difference_of(evaluation.primary.subgroups[0])
    assert made.over == "draws of areas"
    assert made.n_sets == (99 if "draws" in kind else 9_999)
    assert made.interval.lower < EFFECT < made.interval.upper
    assert made.p_value <= 0.01
    assert evaluation.families[0].over == "draws of areas"
    assert "draws of as many areas as are treated" in tell(evaluation)


def test_a_family_over_two_kinds_is_judged_on_the_areas_in_common(tmp_path, rows):
    more = "  - {name: levels, kind: series, comparison: all, slope: no}\n"
    more += "  - {name: synth, kind: synthetic, method: sdid, outcomes: [scores.score]}"
    path = written(tmp_path, rows, SERIES, by="", more=more, analyses=", analyses: [main, levels, synth]")
    [family] = open_evaluation(str(path)).families
    assert [one.analysis for one in family.tests] == [*["main"] * 3, *["levels"] * 3, "synth"]
    assert family.n_areas == N_AREAS
    assert all(isinstance(one.p_adjusted, float) for one in family.tests)
    assert all(one.p_adjusted >= one.p_value for one in family.tests)


def test_kinds_whose_draws_are_not_the_same_are_not_judged_together(tmp_path, rows):
    more = "  - {name: slopes, kind: dose, against: none, column: kinds.days}"
    path = written(tmp_path, rows, SERIES, by="", more=more, analyses=", analyses: [main, slopes]")
    [family] = open_evaluation(str(path)).families
    assert all("there are no draws of both" in one.p_adjusted.reason for one in family.tests)


def test_a_series_alone_has_subgroups_and_no_p_value_with_the_reason(tmp_path, rows):
    path = written(tmp_path, rows[rows["la"] == 301], SERIES)
    evaluation = open_evaluation(str(path))
    made = difference_of(evaluation.primary.subgroups[0])
    assert "no other area whose series could show" in made.p_value.reason
    assert all(
        isinstance(one, FamilyTest) and isinstance(one.p_adjusted, Unavailable) for one in evaluation.families[0].tests
    )
    assert tell(evaluation)


def test_series_of_areas_themselves_have_no_subgroups(tmp_path, rows):
    means = rows.groupby("la")[["score"]].mean()
    yearly = (
        rows.groupby(["la", "year"])[["score", "other", "noise"]].mean().reset_index().assign(school=lambda t: t["la"])
    )
    path = written(tmp_path, yearly.assign(group="a", days=1), SERIES, who="{areas: [301]}")
    assert len(means) == N_AREAS
    with pytest.raises(DesignError, match="whole areas, one row for each, in which there are no schools or pupils"):
        open_design(str(path))


# Categories.


def categories(rows):
    """Return the same schools with categories: those of kind `a` in the first area rise, others as chance has it."""
    rng = np.random.default_rng(9)
    schools = rows.groupby("school")[["la", "group", "days"]].first().reset_index()
    schools = pd.concat([schools.assign(school=schools["school"] + end) for end in "xyz"], ignore_index=True)
    n, parts = len(schools), []
    before = rng.integers(2, 5, size=(n, 3))
    up = rng.random((n, 3)) < np.where((schools["la"] == 301) & (schools["group"] == "a"), 0.9, 0.2)[:, None]
    for year, values in ((2012, before), (2013, before), (2018, np.where(up, before - 1, before))):
        parts.append(schools.assign(year=year, score=values[:, 0], other=values[:, 1], noise=values[:, 2]))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("who", ["{areas: [301]}", "{file: listed.csv}"])
def test_categories_differ_by_subgroup_in_whole_areas_and_in_sets(tmp_path, rows, who):
    made = categories(rows)
    own = sorted(made.loc[made["la"] == 301, "school"].unique())
    (tmp_path / "listed.csv").write_text("school\n" + "\n".join(own[:24]) + "\n", encoding="utf-8")
    path = written(tmp_path, made, CATEGORIES.replace("{{", "{").replace("}}", "}"), who=who)
    evaluation = open_evaluation(str(path))
    found = difference_of(evaluation.primary.subgroups[0])
    assert found.estimate > 30
    assert found.p_value < 0.05
    assert found.over == ("areas" if "areas" in who else "sets")
    main = evaluation.primary.main("scores.score")
    assert main.estimand == ("AREA_ITT" if "areas" in who else "ATT")
    [family] = evaluation.families
    assert all(one.p_adjusted >= one.p_value for one in family.tests)
    assert tell(evaluation)


def test_a_whole_area_is_ranked_by_its_share_among_all_areas(tmp_path, rows):
    made = categories(rows)
    evaluation = open_evaluation(str(written(tmp_path, made, CATEGORIES.replace("{{", "{").replace("}}", "}"), by="")))
    wide = made.pivot(index="school", columns="year", values="score")
    share = (wide[2018] < wide[2013]).groupby(made.groupby("school")["la"].first()).mean() * 100
    # every area has as many schools, so that the mean of the others is that of their shares
    others = share.drop(301)
    gaps = others - (others.sum() - others) / (N_AREAS - 2)
    main = evaluation.primary.main("scores.score")
    assert main.estimate == pytest.approx(share[301] - others.mean())
    assert main.p_value == pytest.approx((1 + (gaps.abs() >= abs(main.estimate)).sum()) / N_AREAS)
    assert evaluation.primary.recommended == "area permutation"


# Doses.


def test_slopes_differ_by_subgroup_where_doses_are_dealt_out_anew(tmp_path, rows):
    own = rows.assign(listed=lambda t: t["la"] < 306)
    gain = own["days"] * own["listed"] * (own["group"] == "a") * (own["year"] >= START)
    own = own.assign(
        score=(
            own["score"] - EFFECT * ((own["la"] == 301) & (own["group"] == "a") & (own["year"] >= START)) + gain
        ).round(3)
    )
    listed = sorted(own.loc[own["listed"], "school"].unique())
    (tmp_path / "listed.csv").write_text("school\n" + "\n".join(listed) + "\n", encoding="utf-8")
    kind = "kind: dose, against: none, column: kinds.days, per: day"
    evaluation = open_evaluation(str(written(tmp_path, own.drop(columns="listed"), kind, who="{file: listed.csv}")))
    [found] = evaluation.primary.subgroups
    made = difference_of(found)
    assert made.over == "dealings"
    assert made.n_areas == 5
    assert made.interval.lower < 1.0 < made.interval.upper
    assert made.p_value < 0.01
    [family] = evaluation.families
    assert family.over == "dealings"
    assert all(one.p_adjusted >= one.p_value for one in family.tests)
    said = tell(evaluation)
    assert "doses dealt out anew among the participants" in said
    assert "each difference taken over its own error" in said
    assert subgroup_differences(evaluation.primary, found)
    assert families(evaluation)


# An adjusted p-value never contradicts the one that is quoted.


def test_no_adjusted_p_is_below_the_one_that_is_quoted(tmp_path, rows, monkeypatch):
    monkeypatch.setattr(matched, "FEWER_SETS", 100)
    kind = "kind: matched, covariates: [scores.score]"
    own = sorted(rows.loc[rows["la"] == 301, "school"].unique())
    (tmp_path / "listed.csv").write_text("school\n" + "\n".join(own[:6]) + "\n", encoding="utf-8")
    evaluation = open_evaluation(str(written(tmp_path, rows, kind, who="{file: listed.csv}", by="")))
    [family] = evaluation.families
    for one in family.tests:
        main = evaluation.primary.main(one.outcome)
        assert one.p_value == main.p_value
        assert one.p_adjusted >= main.p_value
        assert main.p_adjusted == one.p_adjusted
        assert one.holm >= main.p_value
