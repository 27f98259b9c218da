"""The kind `pupils` on made-up pupils: equal to the verbs on the same rows, locked before outcomes, few never told."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError, ProjectError
from evalkit.core.project import OwnTable
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.own_tables.people_table import FEW, people_records, read_people
from evalkit.data.own_tables.project_table import Directory, open_project_table
from evalkit.data.panel import CrossSections
from evalkit.data.published.known_schools import KnownSchools
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.project_data import read_baseline
from evalkit.data.published.sources import no_sources
from evalkit.data.roles import Roles
from evalkit.design.power.mdes import averaging_factor, multiplier
from evalkit.diagnose.power.pupils import pupils_power
from evalkit.diagnose.power.report import PowerOptions
from evalkit.estimate.pupils.multilevel import two_level_model
from evalkit.estimate.pupils.sections import two_level_did
from evalkit.estimate.pupils.two_level import PupilColumns
from evalkit.report.documents.released import results_record
from evalkit.report.kinds import pupils as shown
from evalkit.run.cli import main
from evalkit.run.notebooks.session import open_design, open_evaluation
from tests.pupil_tables import EFFECT, made, pupil_table, two_waves

ADJUSTED = ", covariates: [pupils.prior]"
WAVES = ", model: waves"


def evaluated(path):
    return open_evaluation(str(path)).primary


def effect_of(results, design):
    return next(one for one in results.effects if one.design == design)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Four treated schools in two of 45 areas: the project, its table and its results."""
    table = pupil_table(45, 2)
    path = made(tmp_path_factory.mktemp("few"), table, options=ADJUSTED)
    return path, table, evaluated(path)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Treated schools in 22 of 50 areas."""
    table = pupil_table(50, 22, n_pupils=10)
    path = made(tmp_path_factory.mktemp("many"), table)
    return path, table, evaluated(path)


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """The same pupils twice, in few areas; hardly any treated one is lost."""
    table = two_waves(45, 3, lost=0.03)
    path = made(tmp_path_factory.mktemp("waves"), table, options=WAVES, pre="2017")
    return path, table, evaluated(path)


# Which rows the model sees, and what it says of them.


def compared(table):
    """Return the pupils of treated schools and of areas without any."""
    treated = table.loc[table["listed"], "la"].unique()
    return table[table["listed"] | ~table["la"].isin(treated)]


def test_the_model_is_that_of_the_verb_on_the_same_pupils(few):
    _, table, results = few
    same = compared(table).assign(start=lambda frame: np.where(frame["listed"], 2018.0, np.nan))
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", covariates=("prior",))
    model = two_level_did(CrossSections.from_frame(same, roles))
    assert effect_of(results, "two-level").estimate == pytest.approx(model.effect.value, abs=1e-9)
    found = results.details.primary.model
    assert found.conditional.icc == pytest.approx(model.conditional.icc, abs=1e-9)
    assert found.n_pupils == model.n_pupils


def test_two_waves_are_the_verb_on_the_pupils_found_twice(waves):
    _, table, results = waves
    wide = compared(table).pivot(index=["pupil", "school", "listed"], columns="year", values="score").dropna()
    wide = wide.rename(columns={2017: "before", 2018: "after"}).reset_index()
    wide["treated"] = wide["listed"].astype(float)
    columns = PupilColumns(outcome="after", school="school", treated="treated", covariates=("before",))
    model = two_level_model(wide, columns)
    assert effect_of(results, "two-level").estimate == pytest.approx(model.effect.value, abs=1e-9)
    treated, other = results.details.primary.losses
    assert (treated.n, treated.kept) == (table["listed"].eq(True)[table["year"] == 2017].sum(), wide["listed"].sum())
    assert other.kept == (~wide["listed"]).sum()


def test_pupils_together_are_what_did_of_people_gives(tmp_path, capsys):
    table = pupil_table(25, 2, years=(2017, 2018))
    results = evaluated(made(tmp_path, table, pre="2017"))
    same = compared(table).assign(start=lambda frame: np.where(frame["listed"], "2018", ""))
    same.to_csv(tmp_path / "same.csv", index=False)
    columns = ["--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "start"]
    assert main(["did", str(tmp_path / "same.csv"), *columns, "--people", "--repeated-cross-sections", "--json"]) == 0
    command = json.loads(capsys.readouterr().out)
    assert effect_of(results, "pupils").estimate == pytest.approx(command["simple"]["estimate"], abs=1e-9)


def test_a_table_of_one_row_a_pupil_has_its_earlier_score_beside_it(waves, tmp_path):
    _, table, twice = waves
    wide = table.pivot(index=["pupil", "school", "la", "listed"], columns="year", values="score").reset_index()
    wide = wide.rename(columns={2017: "before", 2018: "score"})
    path = made(tmp_path, wide, options=WAVES + ", pre_score: pupils.before", pre="2017")
    path.write_text(path.read_text().replace(", period: year", ""))
    results = evaluated(path)
    for one, other in zip(results.effects, twice.effects, strict=True):
        assert one.estimate == pytest.approx(other.estimate, abs=1e-9)
    assert json.dumps(results.plan.record) == json.dumps(twice.plan.record)


# What leads, and what is withheld.


def test_with_few_treated_areas_sets_lead_and_the_model_has_no_interval(few):
    results = few[2]
    (led,) = [one for one in results.effects if one.is_main]
    assert (led.design, led.inference, led.sets.n_areas) == ("school-means", "sets", 45)
    assert led.interval.lower < EFFECT < led.interval.upper
    model = effect_of(results, "two-level")
    for withheld in (model.std_error, model.interval, model.p_value):
        assert "no area level" in withheld.reason
    assert results.recommended == "randomisation over sets"
    g = led.effect_size
    assert g.hedges_g == pytest.approx(led.estimate / g.sd_used, rel=1e-3)
    assert g.hedges_g_interval == Interval(led.interval.lower / g.sd_used, led.interval.upper / g.sd_used, 0.95)


def test_sets_judge_the_mean_of_schools_changes(few):
    """By hand for the listed: schools' adjusted changes, equal weights, each area against all without a programme."""
    _, table, results = few
    model = results.details.primary.model
    known = {one.name: one.estimate.value for one in model.coefficients}
    rest = table.assign(
        rest=table["score"]
        - known["prior"] * table["prior"]
        - table["year"].map({2016: 0.0, 2017: known["period 2017"], 2018: known["period 2018"]})
    )
    by_span = rest.groupby([rest["school"], rest["year"] >= 2018])["rest"].mean().unstack()
    change = by_span[True] - by_span[False]
    treated = table.loc[table["listed"], "school"].unique()
    pool = compared(table).loc[lambda frame: ~frame["listed"], "school"].unique()
    expected = change[treated].mean() - change[pool].mean()
    assert results.details.primary.means.estimate == pytest.approx(expected, abs=1e-9)


def test_with_many_treated_areas_the_model_leads_with_areas_as_clusters(many):
    results = many[2]
    (led,) = [one for one in results.effects if one.is_main]
    assert (led.design, led.inference, led.cluster_level) == ("two-level", "cluster", "local_authority")
    assert led.estimate == pytest.approx(results.details.primary.as_weighted.estimate, abs=1e-9)
    assert led.interval.lower < EFFECT < led.interval.upper
    assert "CR2" in results.recommended
    assert isinstance(effect_of(results, "school-means").interval, Interval)


# Before outcomes, and whatever the order.


def test_the_design_holds_no_later_result_and_no_order_of_rows(few, tmp_path):
    path, table, _ = few
    rng = np.random.default_rng(1)
    later = table["year"] == 2018
    other = table.assign(score=table["score"].where(~later, rng.normal(50, 9, len(table))))
    made(tmp_path, other, options=ADJUSTED, order=2)
    assert open_design(str(tmp_path / "project.yml")).to_json() == open_design(str(path)).to_json()


def test_results_depend_on_neither_order_nor_names_nor_the_unit_of_the_score(few, tmp_path):
    _, table, results = few
    other = table.assign(
        score=10 * table["score"],
        pupil="q" + table["pupil"],
        year=table["year"] + 1,
        school="x" + table["school"],
    )
    text = made(tmp_path, other, options=ADJUSTED, pre="2017, 2018", post="2019", order=5).read_text()
    (tmp_path / "project.yml").write_text(text.replace("2017-09-01", "2018-09-01").replace("2019-07", "2020-07"))
    found = evaluated(tmp_path / "project.yml")
    for one, expected in zip(found.effects, results.effects, strict=True):
        assert one.estimate == pytest.approx(10 * expected.estimate, rel=1e-7)
    led, expected = effect_of(found, "school-means"), effect_of(results, "school-means")
    assert led.p_value == expected.p_value
    assert led.effect_size.hedges_g == pytest.approx(expected.effect_size.hedges_g, rel=1e-7)


# Nothing of few.


def test_a_loss_of_few_pupils_is_told_nowhere(waves):
    path, _, results = waves
    treated = results.details.primary.losses[0]
    assert 0 < treated.n - treated.kept < 10
    row = shown.losses_table(results).table.rows[0]
    assert isinstance(row[2], Unavailable)
    assert isinstance(row[3], Unavailable)
    record = results_record(open_evaluation(str(path)))
    told = next(one for one in record["analyses"][0]["findings"] if one["name"] == "attrition")
    assert "fewer than 10" in told["sentence"]
    assert "unavailable" in told["statistic"]


def test_fewer_than_ten_treated_pupils_give_nothing(tmp_path):
    table = pupil_table(24, 1, n_pupils=12)
    kept = table["listed"] & (table["year"] == 2018)
    some = pd.concat([table[~kept], table[kept].head(9)])
    with pytest.raises(DesignError, match="fewer than 10 pupils of the treated schools"):
        evaluated(made(tmp_path, some))


def test_school_records_withhold_means_of_few(tmp_path):
    rows = [("a", f"p{at}", 2018, at) for at in range(10)] + [("b", f"q{at}", 2018, at) for at in range(9)]
    pd.DataFrame(rows, columns=["school", "pupil", "year", "score"]).to_csv(tmp_path / "t.csv", index=False)
    table = OwnTable(file="t.csv", unit="school", period="year", person="pupil")
    nobody = Directory(KnownSchools.of({}, (), None), NeighbourTable({}, {}, {}, 0))
    opened = open_project_table(tmp_path / "t.csv", "t", table, nobody)
    records = people_records(opened, read_people(opened, ["score"], [], [2018], None), {"t.score": "score"})
    assert records.values["t.score"].loc["a", 2018] == 4.5
    assert np.isnan(records.values["t.score"].loc["b", 2018])
    assert records.reasons["t.score"].loc["b", 2018] == FEW
    assert records.pupils[2018].tolist() == [10, 9]


def test_a_pupil_has_one_row_a_year_and_is_not_named(tmp_path):
    table = pupil_table(4, 1, n_pupils=3)
    with pytest.raises(DataError, match=r"a person \('pupil'\) has a second row in 2016") as told:
        open_design(str(made(tmp_path, pd.concat([table, table.head(1)]))))
    assert table["pupil"].iloc[0] not in str(told.value)


# What a project file may not say.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (", pre_score: pupils.prior", "belongs to `model: waves`"),
        (", model: waves, shock: period", "stands for the school"),
        (", covariates: [pupils.score]", "is an outcome of the project"),
        (", covariates: [prior]", "Write it as table.column"),
        (", covariates: [pupils.prior, pupils.prior]", "name each column once"),
    ],
)
def test_options_that_do_not_go_together_are_complaints_of_the_file(tmp_path, options, said):
    with pytest.raises(ProjectError, match=said):
        open_design(str(made(tmp_path, pupil_table(4, 1, n_pupils=2), options=options)))


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("threshold: 10", "threshold: 9", "no count under 10 may leave"),
        (", person: pupil", "", "with a row for each pupil"),
        ("period: year, ", "", "has no `period`"),
    ],
)
def test_a_table_that_is_not_of_pupils_is_refused(tmp_path, was, becomes, said):
    path = made(tmp_path, pupil_table(4, 1, n_pupils=2))
    path.write_text(path.read_text().replace(was, becomes))
    with pytest.raises(ProjectError, match=said):
        open_design(str(path))


# What a reader sees.


def test_what_a_reader_sees_has_every_part(few):
    results = few[2]
    assert "Score: pupils of the treated schools stood" in repr(shown.answer_shown(results))
    assert "Sets hold" in repr(shown.design_shown(results.plan))
    assert set(shown.tables(results)) == {
        "plan", "effects", "effect_sizes", "variance", "losses", "findings", "sets"
    }  # fmt: skip
    assert all(table.threshold == 10 or not table.table.column_sums for table in shown.tables(results).values())
    figure = shown.figures(results)["pupil_means"]()
    assert "2018" in figure.alt
    assert {finding.name for finding in results.findings} == {
        "baseline", "attrition", "few_pupils", "before_the_programme", "model_and_means", "missing_results"
    }  # fmt: skip
    for part in (shown.answer(results), shown.comparison(results), shown.certainty(results), shown.limits(results)):
        assert part.text


def test_other_kinds_use_the_means_of_schools(few, tmp_path):
    _, table, _ = few
    path = made(tmp_path, table)
    kind = "kind: matched, primary: true, ratio: 2, replace: true, covariates: [pre_outcomes, pupils.prior]"
    text = path.read_text().replace("kind: pupils, primary: true", kind)
    text = text.replace("analyses:", "pool: {minimum_treated: 2}\nanalyses:")
    path.write_text(text)
    results = evaluated(path)
    found = results.main("pupils.score")
    assert abs(found.estimate - EFFECT) < 4


@pytest.mark.parametrize(("which", "leads"), [("few", "randomisation over sets"), ("many", "CR2 with Satterthwaite")])
def test_power_is_of_the_change_before_and_names_what_the_run_makes(which, leads, request):
    path, _, results = request.getfixturevalue(which)
    project = results.project
    baseline = read_baseline(project, path.parent, no_sources(path.parent))
    (found,) = pupils_power(project, results.plan.details, "pupils", baseline, PowerOptions())
    assert found.leads.startswith(leads)
    assert results.recommended == found.leads
    spread, df = results.details.primary.before.spread
    factor = averaging_factor(2, 1) / averaging_factor(1, 1)
    assert found.least == pytest.approx(multiplier(df) * spread * factor, rel=1e-9)
    with pytest.raises(DesignError, match="2018 is in memory"):
        list(pupils_power(project, results.plan.details, "pupils", replace(baseline, years=(2018,)), PowerOptions()))
