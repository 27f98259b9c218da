"""Missing results by the kinds of starts, areas, pupils, doses and categories: each judged as it judges."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.kinds.pupils import pupil_outcomes
from evalkit.diagnose.missing import of_area_series, of_dose
from evalkit.diagnose.missing.of_dose import dose_samples
from evalkit.diagnose.missing.of_pupils import pupils_samples
from evalkit.diagnose.missing.of_transitions import transitions_samples
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.report.tables.missing import losses, what_if
from evalkit.run.notebooks.session import open_evaluation
from tests.pupil_tables import EFFECT, pupil_table, two_waves
from tests.pupil_tables import made as pupils_project
from tests.unit.run.kinds import test_dose as dose
from tests.unit.run.kinds import test_series as series
from tests.unit.run.kinds import test_staggered as staggered
from tests.unit.run.kinds import test_synthetic as synthetic
from tests.unit.run.kinds import test_transitions as transitions


def rows_of(results):
    return {row.assumption: row for row in results.missing.primary.rows}


def rewritten(path, name, table):
    table.to_csv(path.parent / name, index=False)
    return open_evaluation(str(path)).primary


def shown(results):
    """Every table and note of missing results as text."""
    parts = [losses(results.missing).table, what_if(results.missing).table]
    return " ".join(str(one) for part in parts for one in (part.caption, *part.notes, *part.rows))


# Nothing missing: bounds are the estimate, and it is said that nothing is missing.


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """An analysis of each kind without a gap."""
    folder = tmp_path_factory.mktemp("complete")
    rows, waves = series.table(), two_waves(45, 3, lost=0.0, n_pupils=8)
    return {
        "transitions": open_evaluation(str(transitions.made(folder / "t")[0])),
        "dose": open_evaluation(str(dose.made(folder / "d", treated=(0, 1, 2))[0])),
        "series": open_evaluation(str(series.project(folder / "s", rows))),
        "synthetic": open_evaluation(str(synthetic.made(folder / "y", synthetic.simulated(n_areas=44), {"000": 2016}))),
        "staggered": open_evaluation(str(staggered.made(folder / "g", n_treated_areas=1, n_listed=3)[0])),
        "staggered, many": open_evaluation(str(staggered.made(folder / "m", n_treated_areas=24)[0])),
        "pupils": open_evaluation(str(pupils_project(folder / "p", pupil_table(45, 2, n_pupils=8)))),
        "pupils, waves": open_evaluation(
            str(pupils_project(folder / "w", waves, options=", model: waves", pre="2017"))
        ),
    }  # fmt: skip


KINDS = ("transitions", "dose", "series", "synthetic", "staggered", "staggered, many", "pupils", "pupils, waves")


@pytest.mark.parametrize("kind", KINDS)
def test_with_nothing_missing_bounds_are_the_estimate(complete, kind):
    results = complete[kind].primary
    found = results.missing.primary
    rows = rows_of(results)
    assert found.differential == 0
    if kind in ("dose", "series", "synthetic"):
        assert rows["bounds"].lower.reason.startswith("Lee's bounds cut")
    else:
        ends = rows["bounds"].lower, rows["bounds"].upper
        own = results.main(found.outcome).estimate
        assert ends == pytest.approx((own, own), rel=1e-9)
        assert isinstance(rows["bounds"].interval, Interval)
        half = results.main(found.outcome).interval.upper - own
        assert rows["bounds"].interval.upper - own == pytest.approx(half, rel=0.15)  # fewer sets, or another error
    (told,) = [one for one in results.findings if one.name == "missing_results"]
    assert told.sentence.startswith("Nothing that was declared changes the estimate: no ")


@pytest.mark.parametrize("kind", KINDS)
def test_results_json_keeps_its_schema_and_the_design_holds_what_is_declared(complete, kind):
    evaluation = complete[kind]
    record = json.loads(results_json(results_record(evaluation)))
    jsonschema.validate(record, results_schema())
    (plan,) = json.loads(evaluation.design.to_json())["analyses"].values()
    assert plan["missing"]["bounds"] == "lee"


# Categories.


@pytest.fixture(scope="module")
def lost_grades(tmp_path_factory):
    """Grades of which the listed schools that did not improve are lost half of the time, others rarely."""
    path, table = transitions.made(tmp_path_factory.mktemp("grades"))
    wide = table.pivot(index="school", columns="year", values="grade")
    listed = set(pd.read_csv(path.parent / "participants.csv")["school"])
    still = wide.index[wide[2018] >= wide[2016]]
    gone = {one for at, one in enumerate(u for u in still if u in listed) if at % 2 == 0}
    gone |= set(wide.index[::23]) - listed
    kept = table[~((table["year"] == 2018) & table["school"].isin(gone))]
    return path, wide, listed, gone, rewritten(path, "grades.csv", kept)


def test_a_missing_category_is_the_worst_and_the_best_there_is(lost_grades):
    _, wide, listed, gone, results = lost_grades
    improved = 100.0 * (wide[2018] < wide[2016])
    others = wide.index[~wide.index.str.startswith("s00")]
    own = wide.index[wide.index.isin(listed)]
    rows = rows_of(results)
    for end, (of_own, of_others) in (("worst", (False, True)), ("best", (True, False))):
        # at best a school rises to the first category, which is no rise for one that stood there
        filled = improved.where(~wide.index.isin(gone), 100.0 * (wide[2016] > 1))
        mine = filled[own] if of_own else improved[own].where(~own.isin(gone), 0.0)
        theirs = filled[others] if of_others else improved[others].where(~others.isin(gone), 0.0)
        assert rows[end].estimate == pytest.approx(mine.mean() - theirs.mean(), rel=1e-9)
    truth = improved[own].mean() - improved[others].mean()
    assert rows["worst"].estimate <= truth <= rows["best"].estimate
    assert rows["published"].estimate > truth + 1  # leaving the lost out overstates it: there is something to bound


def test_missing_categories_are_imputed_as_categories(lost_grades):
    results = lost_grades[-1]
    rows, found = rows_of(results), results.missing.primary
    assert (rows["imputed"].n_treated, rows["imputed"].n_comparison) == (12, 43 * 16)
    assert rows["worst"].estimate < rows["imputed"].estimate < rows["best"].estimate
    assert found.tipping.slope == pytest.approx(sum(found.losses[0].lost.values()) / 12)
    assert found.words.unit == "percentage points"
    plan = results.plan.details
    data = transitions_samples(plan, results_intake(lost_grades[0]))
    (sample,) = list(data)
    judged = sample.judge(sample.of_table(sample.outcomes.values))
    assert judged.estimate == pytest.approx(results.main(found.outcome).estimate, rel=1e-12)
    assert judged.interval == results.main(found.outcome).interval


def results_intake(path):
    from evalkit.data.published.project_data import read_records
    from evalkit.data.published.sources import no_sources
    from evalkit.run.project.project_file import load_project

    project = load_project(path)
    return read_records(project, path.parent, no_sources(path.parent))


# Doses.


def lost_doses(folder, **changes):
    path, table = dose.made(folder, treated=tuple(range(6)), **changes)
    rng = np.random.default_rng(1)
    gone = (table["year"] == 2018) & (rng.random(len(table)) < np.where(table["la"] < 307, 0.2, 0.03))
    return path, table, rewritten(path, "scores.csv", table[~gone])


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    return lost_doses(tmp_path_factory.mktemp("doses"))


def test_participants_are_counted_by_whether_they_had_more(lines):
    path, table, results = lines
    found = results.missing.primary
    listed = pd.read_csv(path.parent / "participants.csv").set_index("school")["dose"]
    area = table.drop_duplicates("school").set_index("school")["la"].reindex(listed.index)
    has_more = listed > listed.groupby(area).transform("mean")
    level = table[table["year"] < 2017].groupby("school")["score"].mean().reindex(listed.index)
    assert sum(one.n_schools for one in found.losses) == len(listed)
    if not results.plan.details.options.covariates:
        assert found.losses[0].n_schools == has_more.sum()
    assert level.notna().all()
    assert (found.words.many, found.words.unit) == ("participants", "points per coaching day")


def test_the_tipping_point_of_a_line_is_where_its_interval_reaches_zero(lines):
    path, _, results = lines
    found, plan = results.missing.primary, results.plan.details
    (sample,) = list(dose_samples(plan, results_intake(path)))
    rows = rows_of(results)
    assert rows["imputed"].interval.lower > 0
    shift = found.tipping.shift
    assert shift < 0
    # the imputed table is the mean of those made by the streams of the seed: shifted, its interval just holds zero
    from evalkit.diagnose.missing import what_if as module

    tables = module._tables(sample, found.imputation.draws, results.project.seed)
    mean = sum(tables[1:], tables[0]) / len(tables)
    gaps = sample.outcomes.missing & sample.outcomes.after & (sample.outcomes.arm == "treated").to_numpy()[:, None]
    end = sample.judge(mean + shift * gaps).interval.lower
    assert abs(end) < 1e-3 * rows["imputed"].interval.lower
    assert sample.judge(mean + 0.9 * shift * gaps).interval.lower > 0
    assert results.missing.primary.note == of_dose.NOTE


def test_a_line_is_judged_as_by_the_analysis_itself(lines):
    path, _, results = lines
    (sample,) = list(dose_samples(results.plan.details, results_intake(path)))
    found, main = sample.judge(sample.outcomes.values), results.main("scores.score")
    assert (found.estimate, found.p_value) == pytest.approx((main.estimate, main.p_value), rel=1e-12)
    assert found.interval == main.interval
    assert found.n_treated + found.n_comparison == main.n_treated
    published = rows_of(results)["published"]
    assert (published.n_treated, published.n_comparison) == (found.n_treated, found.n_comparison)


def test_of_an_outcome_that_is_better_low_the_worst_is_high(tmp_path):
    rows = series.table()
    kept = rows[~((rows["area"] == "A00") & (rows["year"] == 2018))]
    path = series.project(tmp_path / "low", kept)
    text = path.read_text(encoding="utf-8").replace("sd: 8, role: primary", "sd: 8, direction: lower, role: primary")
    path.write_text(text, encoding="utf-8")
    worst, best = (rows_of(open_evaluation(str(path)).primary)[end].estimate for end in ("worst", "best"))
    found = rows_of(series.evaluated(tmp_path / "high", kept))
    assert (worst, best) == (found["best"].estimate, found["worst"].estimate)
    assert best < worst


# Series and synthetic controls.


def test_a_year_that_a_treated_area_lacks_is_bounded(tmp_path):
    rows = series.table()
    gap = (rows["area"] == "A00") & (rows["year"] == 2018)
    results = series.evaluated(tmp_path / "gap", rows[~gap])
    found = rows_of(results)
    assert results.details.primary.years[-1] == 2017  # the answer leaves the year out for all
    values = rows[rows["year"] == 2018].set_index("area")["rate"]
    for end, at in (("worst", 5), ("best", 95)):
        filled = rows.copy()
        filled.loc[gap, "rate"] = np.percentile(values.drop("A00"), at)
        assert found[end].estimate == pytest.approx(series.by_hand(filled)[1], rel=1e-9)
    whole = series.by_hand(rows)[1]
    assert found["worst"].estimate < whole < found["best"].estimate
    assert found["imputed"].estimate.reason == of_area_series.NO_IMPUTATION
    assert results.missing.primary.losses[0].lost["closed"] == 1


def of_schools(folder, kind, *, keep=None, seed=4):
    """Areas of eight schools each in the place of areas, the whole of area 300 treated."""
    rng = np.random.default_rng(seed)
    rows = []
    for area, own in series.table().groupby("area"):
        for k in range(8):
            level = rng.normal(0, 3)
            for one in own.itertuples():
                rate = round(one.rate + level + rng.normal(), 3)
                rows.append((f"{area}s{k}", 300 + int(area[1:]), one.year, rate))
    table = pd.DataFrame(rows, columns=["school", "la", "year", "rate"])
    table = table if keep is None else table[keep(table, rng)]
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "rates.csv", index=False)
    text = series.PROJECT.format(options="", breaks="", first_year="")
    text = text.replace("unit: area, period: year", "unit: school, period: year, area: la")
    text = text.replace("participants: {file: participants.csv}", "participants: {areas: [300]}")
    text = "\n".join(line for line in text.split("\n") if "column: other" not in line)
    text = text.replace("kind: series, primary: true, comparison: all", f"kind: {kind}, primary: true")
    (folder / "project.yml").write_text(text.replace("kind: series", f"kind: {kind}"), encoding="utf-8")
    if kind == "series":
        text = (
            (folder / "project.yml")
            .read_text(encoding="utf-8")
            .replace("primary: true", "primary: true, comparison: all")
        )
        (folder / "project.yml").write_text(text, encoding="utf-8")
    return open_evaluation(str(folder / "project.yml")).primary, table


def some_lost(table, rng):
    return ~((table["year"] >= 2015) & (rng.random(len(table)) < np.where(table["la"] == 300, 0.25, 0.05)))


@pytest.mark.parametrize("kind", ["series", "synthetic"])
def test_schools_beneath_an_area_are_imputed(tmp_path, kind):
    results, _ = of_schools(tmp_path / "gaps", kind, keep=some_lost)
    whole, _ = of_schools(tmp_path / "whole", kind)
    rows, found = rows_of(results), results.missing.primary
    assert found.words.many == "schools"
    assert found.losses[0].n_schools == 8
    assert 0 < found.losses[0].share_lost < 1
    truth = whole.main("rates.rate").estimate
    error = abs(rows["published"].estimate - truth)
    # predicted from eight years of their own, the gaps do less harm than left out (school levels differ by 3)
    assert abs(rows["imputed"].estimate - truth) < max(error, 0.5)
    assert rows["imputed"].interval.upper - rows["imputed"].interval.lower > 0
    assert 0 < found.tipping.slope < 1
    assert rows["bounds"].lower.reason == of_area_series.NO_BOUNDS[kind]


def test_donors_that_lack_a_year_come_back_where_it_is_filled_in(tmp_path):
    table = synthetic.simulated(n_areas=44)
    kept = table[~(table["area"].isin(["005", "006"]) & (table["year"] == 2017))]
    results = synthetic.evaluated(synthetic.made(tmp_path / "gaps", kept, {"000": 2016}))
    rows = rows_of(results)
    assert (rows["published"].n_comparison, rows["worst"].n_comparison) == (41, 43)
    assert results.missing.primary.losses[1].lost["closed"] == 2
    assert isinstance(rows["worst"].interval, Interval)
    # by hand: the same project with both values at an end
    ends = np.percentile(kept.loc[kept["year"] == 2017, kept.columns[2]], [5, 95])
    filled = table.copy()
    name = table.columns[2]
    filled.loc[table["area"].isin(["005", "006"]) & (table["year"] == 2017), name] = ends[1]
    other = synthetic.evaluated(synthetic.made(tmp_path / "filled", filled, {"000": 2016}))
    main = other.main(other.details.primary.code)
    assert rows["worst"].estimate == pytest.approx(main.estimate, rel=1e-12)
    assert rows["worst"].p_value == main.p_value
    assert rows["worst"].interval == main.interval


def test_years_weighed_by_later_outcomes_are_not_averaged(tmp_path):
    results, _ = of_schools(tmp_path, "synthetic, method: sdid", keep=some_lost)
    assert rows_of(results)["imputed"].estimate == Unavailable(of_area_series.BENT)


# Starts in different years.


def test_bounds_of_starts_hold_the_effect_where_the_treated_that_do_badly_are_lost(tmp_path):
    path, table = staggered.made(tmp_path / "gaps", n_treated_areas=22, n_areas=36, seed=5)
    # a result is lost where it and luck are low: of the treated below a mark that few others fall short of
    rng = np.random.default_rng(6)
    is_on = table["start"].notna() & (table["year"] >= table["start"])
    level = table[table["year"] < 2013].groupby("school")["score"].mean()
    luck = table["score"] - staggered.EFFECT * is_on - table["school"].map(level) + rng.normal(size=len(table))
    later = table["year"] >= 2013
    high, low = (luck[later].quantile(q) for q in (0.25, 0.08))
    lost = later & (luck < np.where(is_on, high, low))
    results = rewritten(path, "scores.csv", table[~lost].drop(columns="start"))
    # the effect on those that would be published in either arm: all held against the treated's mark
    always = rewritten(path, "scores.csv", table[~(later & (luck < high))].drop(columns="start"))
    truth, rows = always.main("scores.score").estimate, rows_of(results)
    assert rows["published"].estimate > truth + 0.1  # the others do better: leaving them out overstates
    assert rows["bounds"].lower < truth < rows["bounds"].upper
    assert rows["bounds"].interval.lower < min(rows["bounds"].lower, staggered.EFFECT)
    found = results.missing.primary.bounds
    assert found.observed_treated < found.observed_comparison - 0.1
    assert 0 < found.trimmed_share < 0.25


@pytest.mark.parametrize(("options", "said"), [
    (", estimator: imputation", "The estimator `imputation` gives the effects by a regression"),
    (", unbalanced: complete", "With `unbalanced: complete`"),
])  # fmt: skip
def test_what_has_no_cells_to_cut_says_so(tmp_path, options, said):
    path, _ = staggered.made(tmp_path / "o", n_treated_areas=24, options=options)
    reason = rows_of(open_evaluation(str(path)).primary)["bounds"].lower.reason
    assert said in reason


# Pupils.


@pytest.fixture(scope="module")
def lost_pupils(tmp_path_factory):
    """Two waves of which pupils that did badly are lost, more of the treated; and where all are held to their mark."""
    whole = two_waves(45, 3, lost=0.0, n_pupils=16, seed=2)
    later = whole["year"] == 2018
    first = whole[~later].set_index("pupil")["score"].reindex(whole["pupil"]).to_numpy()
    luck = (
        whole["score"] - 40 - 0.6 * first - EFFECT * whole["listed"] + np.random.default_rng(3).normal(0, 6, len(whole))
    )
    of_arm = luck.where(later).groupby(whole["listed"])
    high, low = (of_arm.transform(lambda one, q=q: one.quantile(q)) for q in (0.25, 0.08))
    gone = later & (luck < high.where(whole["listed"], low))
    folder = tmp_path_factory.mktemp("pupils")
    options = {"options": ", model: waves", "pre": "2017"}
    path = pupils_project(folder / "gaps", whole[~gone], **options)
    other = pupils_project(folder / "always", whole[~(later & (luck < high))], **options)
    return path, open_evaluation(str(path)).primary, open_evaluation(str(other)).primary


def test_pupils_lost_for_doing_badly_are_caught_by_the_bounds(lost_pupils):
    _, results, always = lost_pupils
    rows, code = rows_of(results), results.missing.primary.outcome
    truth = always.main(code).estimate
    assert rows["published"].estimate > truth + 0.3
    assert rows["bounds"].lower < truth < rows["bounds"].upper
    assert rows["bounds"].interval.lower < EFFECT < rows["bounds"].interval.upper
    treated, comparison = results.missing.primary.losses
    assert treated.share_lost > comparison.share_lost + 0.1
    assert treated.n_schools == treated.lost["not_published"] + treated.with_result


def test_pupils_are_judged_as_by_the_analysis_itself(lost_pupils):
    path, results, _ = lost_pupils
    (sample,) = list(pupils_samples(results.project, results.plan.details, results_intake(path)))
    found, main = sample.judge(sample.outcomes.values), results.main(sample.outcome)
    assert (found.estimate, found.p_value) == pytest.approx((main.estimate, main.p_value), rel=1e-9)
    assert found.interval.lower == pytest.approx(main.interval.lower, rel=1e-9)
    assert (found.n_treated, found.n_comparison) == (main.n_treated, main.n_comparison)


@pytest.mark.parametrize(("n_areas", "n_treated", "options"), [(45, 2, ""), (50, 22, ", shock: period")])
def test_schools_without_later_pupils_are_counted_imputed_and_bounded(tmp_path, n_areas, n_treated, options):
    table = pupil_table(n_areas, n_treated, n_pupils=8)
    gone = table["school"].isin(list(table["school"].unique()[::15]))  # a treated one is the first of them
    path = pupils_project(tmp_path / "gaps", table[~(gone & (table["year"] == 2018))], options=options)
    results = open_evaluation(str(path)).primary
    rows, found = rows_of(results), results.missing.primary
    assert found.losses[0].lost["closed"] >= 1
    assert rows["worst"].estimate < rows["imputed"].estimate < rows["best"].estimate
    assert rows["bounds"].lower <= rows["published"].estimate <= rows["bounds"].upper
    assert rows["bounds"].interval.lower < rows["bounds"].lower
    assert rows["imputed"].n_treated == 2 * n_treated
    (sample,) = list(pupils_samples(results.project, results.plan.details, results_intake(path)))
    judged, main = sample.judge(sample.outcomes.values), results.main(sample.outcome)
    assert judged.estimate == pytest.approx(main.estimate, rel=1e-6)  # the model's own effect is of its iterations
    assert judged.interval.upper == pytest.approx(main.interval.upper, rel=1e-6)
    # a shift of one moves the estimate by the treated's imputed share
    assert 0 < found.tipping.slope < 1


def test_few_lost_pupils_are_told_nowhere(tmp_path):
    path = pupils_project(tmp_path / "few", two_waves(45, 3, lost=0.03), options=", model: waves", pre="2017")
    evaluation = open_evaluation(str(path))
    found = evaluation.primary.missing.primary
    assert isinstance(found.losses[0].with_result, Unavailable)
    for one in (found.differential, found.losses[0].share_lost, found.bounds.observed_treated,
                found.bounds.trimmed_share, found.imputation.percent_incomplete):  # fmt: skip
        assert isinstance(one, Unavailable)
    assert isinstance(found.bounds.lower, float)
    text = json.dumps(
        json.loads(results_json(results_record(evaluation)))["analyses"][0]["missing"]["outcomes"][0]["losses"][0]
    )
    few = pupil_outcomes(evaluation.primary.project, evaluation.primary.plan.details, results_intake(path))
    lost = next(one.n - one.kept for one in few.primary.losses if one.arm == "treated")
    assert 0 < lost < 10
    assert f": {lost}" not in text
    assert "lack one afterwards" not in " ".join(one.sentence for one in evaluation.primary.findings)


def test_the_order_of_rows_names_and_scale_move_nothing_but_the_scale(tmp_path, lost_pupils):
    table = pupil_table(45, 2, n_pupils=6)
    table = table[~((table["year"] == 2018) & (table["school"] == table["school"].iloc[0]))]
    first = rows_of(open_evaluation(str(pupils_project(tmp_path / "a", table))).primary)
    other = rows_of(open_evaluation(str(pupils_project(tmp_path / "b", table, order=4))).primary)
    scaled = table.assign(score=10 * table["score"])
    larger = rows_of(open_evaluation(str(pupils_project(tmp_path / "c", scaled))).primary)
    for name, row in first.items():
        assert other[name].lower == pytest.approx(row.lower, rel=1e-9)
        assert larger[name].lower == pytest.approx(10 * row.lower, rel=1e-5)
        assert larger[name].upper == pytest.approx(10 * row.upper, rel=1e-5)


def test_tables_name_those_that_lack_a_result(lost_grades, lines, lost_pupils):
    assert "Missing results" not in shown(lost_grades[-1])
    for results, words in ((lost_grades[-1], ("schools with a result", "of all categories")),
                           (lines[-1], ("participants with a result", "Higher-dose")),
                           (lost_pupils[1], ("pupils with a result", "of any pupil that year"))):  # fmt: skip
        text = shown(results).lower()
        for one in words:
            assert one.lower() in text
    declared = replace(lost_grades[-1].project.missing, bounds="none")
    assert declared.bounds == "none"
