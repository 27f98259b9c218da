"""`evalkit power`: what the Knowsley project and a file of schools could detect on the synthetic England."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evalkit.core.errors import DesignError, InputError
from evalkit.core.plain import json_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.design.power.mdes import multiplier
from evalkit.design.project.plan import make_design
from evalkit.diagnose.power.power import project_power, treated_by_area
from evalkit.diagnose.power.report import PowerOptions
from evalkit.diagnose.project.describe import describe_design
from evalkit.estimate.areas.clusters import supported_clusters
from evalkit.report.documents.terminal import terminal_text
from evalkit.report.figures.design import power_plot
from evalkit.report.tables.power import power_simulated, power_two_level
from evalkit.run import cli
from evalkit.run.project.project_file import load_project
from evalkit.run.tables.power import _limits_before, power_document, power_of_project, power_record

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "data" / "projects" / "knowsley-ssif"


@pytest.fixture(scope="module", autouse=True)
def no_matching():
    """Leave matching out of designs: power does not use it, and it takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evalkit.design.project.plan._matches", lambda *arguments: {})
        yield


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    """A synthetic England of a fifth of the size."""
    folder = tmp_path_factory.mktemp("england-for-power")
    write_synthetic_england(folder, seed=11, scale=0.2)
    return find_sources(folder)


@pytest.fixture(scope="module")
def project():
    whole = load_project(FOLDER / "project.yml")
    outcomes = tuple(outcome for outcome in whole.outcomes if outcome.measure in ("READPROG", "P8MEA"))
    return replace(whole, outcomes=outcomes, contrasts=(), pool=replace(whole.pool, minimum_treated=5))


@pytest.fixture(scope="module")
def intake(project, england):
    """The years before the programme, read once."""
    return read_baseline(project, FOLDER, england)


def power_in(project, intake, england, options=None):
    limits = _limits_before(project, intake, england)
    return project_power(project, intake, make_design(project, intake), limits, options or PowerOptions())


@pytest.fixture(scope="module")
def report(project, intake, england):
    return power_in(project, intake, england)


@pytest.fixture(scope="module")
def listed(project, intake, england, tmp_path_factory):
    """The project with twelve schools of three areas listed by name."""
    records = intake.records["KS2"]
    schools = records.schools[records.schools["minor_group"].isin(project.pool.minor_groups)]
    schools = schools[records.values["READPROG"].loc[schools.index].notna().all(axis=1)]
    urn = {school: urn for urn, school in records.urns.items() if urn.isdigit()}
    areas = schools.groupby("area").size().sort_index()
    chosen = [
        urn[school]
        for area in areas.index[areas >= 8][:3]
        for school in schools.index[schools["area"] == area][:4]
        if school in urn
    ]
    folder = tmp_path_factory.mktemp("listed")
    (folder / "participants.csv").write_text("URN\n" + "\n".join(chosen) + "\n")
    participants = replace(project.participants, areas=(), file="participants.csv")
    only = tuple(outcome for outcome in project.outcomes if outcome.measure == "READPROG")
    changed = replace(project, participants=participants, outcomes=only)
    read = read_baseline(changed, folder, england)
    return changed, read, make_design(changed, read), len(chosen)


def test_a_whole_area_gets_all_three_numbers(report):
    found = report.outcomes[0]
    assert found.leads == "area permutation"
    assert isinstance(found.panel, float)
    assert found.panel_g == pytest.approx(found.panel / found.pupil_sd)
    assert 7.5 < found.pupil_sd < 8.5
    assert "unconditional" in found.pupil_sd_name
    assert 5 < found.sd_given_prior < 7  # the noise behind progress scores
    assert found.simulated.is_every_set
    assert found.simulated.effect == pytest.approx(found.panel, rel=0.35)
    assert isinstance(found.simulated.effect_interval, Interval)
    shares = [point.power for point in found.simulated.curve]
    assert shares[0] < 0.15
    assert shares[-1] > 0.8
    plan = found.two_level_plan.plan
    assert 0 < plan.icc < 0.3
    assert 0 <= plan.r2_school < 1
    assert 0.1 < found.two_level < 0.5  # neither plan is the stronger by rule: here they are equal to two decimals
    assert found.two_level_after_loss > found.two_level
    assert "all treated schools lie in one" in found.two_level_note


def test_the_panel_number_is_the_one_the_design_prints(project, intake, report):
    printed = describe_design(project, intake, make_design(project, intake)).detectable[0]
    assert report.outcomes[0].panel == pytest.approx(printed.at_design, rel=0.01)  # 2.8, or t with areas − 1


def test_an_outcome_with_too_few_schools_gets_reasons(project, intake, england):
    strict = replace(project, pool=replace(project.pool, minimum_treated=50))
    [found] = [o for o in power_in(strict, intake, england).outcomes if o.outcome.measure == "P8MEA"]
    for value in (found.panel, found.simulated, found.two_level, found.panel_g):
        assert isinstance(value, Unavailable)
        assert "too few for an estimate" in value.reason
    assert found.leads == "none"


def test_one_year_before_is_too_little(project, england):
    short = replace(project, exposure=replace(project.exposure, pre=(2017,)))
    found = power_in(short, read_baseline(short, FOLDER, england), england).outcomes[0]
    assert "Only one year" in found.panel.reason
    assert "Only one year" in found.simulated.reason
    assert isinstance(found.two_level, float)  # a level of one year gives the icc, with no year before it
    assert found.two_level_plan.plan.n_school_covariates == 0


def test_listed_schools_of_several_areas(listed, england):
    project, intake, design, n = listed
    found = project_power(
        project, intake, design, _limits_before(project, intake, england), PowerOptions(n_simulations=200)
    ).outcomes[0]
    treated = treated_by_area(project, intake, design.outcomes["READPROG"])
    assert sum(treated) == found.n_treated == n
    assert len(treated) == 3
    assert found.leads == "randomisation over sets"
    assert "in 3 other areas at a time" in found.why
    assert "another test" not in found.why
    assert found.simulated_test == "randomisation over sets of schools"
    assert isinstance(found.panel, float)
    assert found.panel_method.startswith("the spread of effects of 200 sets of")
    assert found.simulated.n_draws == 200
    assert not found.simulated.is_every_set
    assert found.simulated.curve[0].power == pytest.approx(0.05, abs=0.01)  # of its own reference sets, by construction
    assert found.two_level_note.startswith("It counts schools as independent")


def test_the_projects_own_weights_are_used(project, intake, england, report):
    weighed = replace(project, estimation=replace(project.estimation, weights="pupils"))
    found = power_in(weighed, intake, england).outcomes[0]
    assert found.panel == pytest.approx(report.outcomes[0].panel, rel=0.3)
    assert found.panel != report.outcomes[0].panel
    assert found.simulated != report.outcomes[0].simulated


def test_draws_follow_the_seed(project, intake):
    fewer, design = PowerOptions(n_simulations=25), make_design(project, intake)
    one, again, other = (
        project_power(replace(project, seed=seed), intake, design, {}, fewer).outcomes[0].simulated
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert one.n_draws == 25


def test_no_year_after_the_start_may_be_in_memory(project, intake):
    late = replace(intake, years=(2016, 2017, 2018))
    with pytest.raises(DesignError, match="2018 is in memory"):
        project_power(project, late, make_design(project, intake), {}, PowerOptions())


def test_only_years_before_are_looked_at(project, intake, england, report):
    """The whole is the same where the tables also hold later scores, and those are nonsense."""
    late = read_records(project, FOLDER, england)
    for records in late.records.values():
        for values in records.values.values():
            values.loc[:, [2018, 2019]] = np.random.default_rng(1).normal(1e3, 1e3, (len(values), 2))
    design = make_design(project, intake)
    found = project_power(
        project, replace(late, years=intake.years), design, _limits_before(project, intake, england), PowerOptions()
    )
    assert power_record(found) == power_record(report)


def test_json_says_numbers_or_reasons(report):
    content = json.loads(json_text(power_record(report)))
    assert content["years_read"] == [2016, 2017]
    assert content["outcomes"][0]["panel"]["mdes_points"] > 0
    assert set(content["outcomes"][0]["two_level"]["plan"]) >= {"icc", "pupils", "r2_school", "source"}
    assert content["outcomes"][0]["simulated"]["effect_interval"]["level"] == 0.95


def test_text_names_units_and_the_test(report):
    text = " ".join(terminal_text(power_document(report, has_figures=False)).split())
    found = report.outcomes[0]
    for said in (
        "SYNTHETIC DATA",
        "progress points",
        "area permutation",
        "Years read: 2016 and 2017, all before the programme, and no others.",
        "found with 80% probability by a two-sided test at 5%",
        found.why,
        f"panel: from {found.panel_method}.",
        f"{found.simulated_test}; Monte Carlo interval",
        f"placebo sets: all {found.simulated.n_draws}; {found.simulated_sets}.",
    ):
        assert " ".join(said.split()) in text, said
    assert "nan" not in text
    assert "inf " not in text


def test_every_row_of_the_power_curve_is_told(report):
    table = power_simulated(report).table
    points = [(100 * p.power, 100 * p.monte_carlo_error) for o in report.outcomes for p in o.simulated.curve]
    assert [row[2:] for row in table.rows] == points


def test_the_plan_of_single_schools_is_told_with_where_it_came_from(report):
    found = report.outcomes[0]
    plan = found.two_level_plan.plan
    table = power_two_level(report).table
    numbers = (found.two_level, found.two_level_after_loss, plan.icc, plan.pupils, plan.r2_school)
    assert table.rows[0][1:] == (*numbers, found.two_level_plan.source)
    assert found.two_level_note.rstrip(".") + "." in table.notes


def test_the_figure_shows_every_least_effect_in_pupil_standard_deviations(report):
    rows = power_plot(report).data.table.rows
    for row, found in zip(rows, report.outcomes, strict=True):
        if found.outcome.code in ("WRITPROG", "P8MEA"):  # no spread between all pupils can be had
            assert row[1] == row[2] == row[3] == found.pupil_sd
            continue
        assert row[1] == pytest.approx(found.panel / found.pupil_sd)
        assert row[2] == pytest.approx(found.simulated.effect / found.pupil_sd)
        assert row[3] == pytest.approx(found.two_level)


def test_an_outcome_that_cannot_be_given_leaves_its_place_in_the_figure_empty(project, intake, england):
    strict = replace(project, pool=replace(project.pool, minimum_treated=50))
    figure = power_plot(power_in(strict, intake, england))
    assert "P8MEA" not in figure.alt
    assert "none can be given" in figure.alt


def run(arguments):
    return cli.done(cli.parsed(["power", *arguments]))


def test_the_command_prints_json_for_a_folder(england, capsys, tmp_path):
    text = (FOLDER / "project.yml").read_text(encoding="utf-8").replace("minimum_treated: 10", "minimum_treated: 5")
    (tmp_path / "project.yml").write_text(text, encoding="utf-8")
    (tmp_path / "claims.yml").write_text((FOLDER / "claims.yml").read_text(encoding="utf-8"), encoding="utf-8")
    arguments = [str(tmp_path / "project.yml"), "--data", str(england.folder), "--json", "--simulations", "30"]
    assert run([*arguments, "--power", "0.9"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["power"], content["level"], content["n_simulations"]) == (0.9, 0.95, 30)
    assert content["data_kind"] == "synthetic"


@pytest.mark.parametrize("kind", [".html", ".docx", ".pdf", ".csv"])
def test_the_command_writes_every_kind_of_file(report, capsys, tmp_path, monkeypatch, kind):
    monkeypatch.setattr("evalkit.run.tables.power.power_of_project", lambda *_: report)
    path = tmp_path / f"power{kind}"
    assert run([str(FOLDER / "project.yml"), "--synthetic", "--quiet", "--out", str(path)]) == 0
    start = {".html": b"<!DOCTYPE html>", ".docx": b"PK", ".pdf": b"%PDF", ".csv": b"outcome,unit,panel,"}[kind]
    assert path.read_bytes().startswith(start)
    assert capsys.readouterr().out == ""


def test_without_data_the_synthetic_england_is_read(project, intake, england, monkeypatch):
    read = []
    monkeypatch.setattr("evalkit.run.project.project_file.load_project", lambda path: project)
    monkeypatch.setattr("evalkit.run.project.runner.synthetic_folder", lambda: england.folder)
    monkeypatch.setattr(
        "evalkit.data.published.project_data.read_baseline", lambda *asked: read.append(asked[2].folder) or intake
    )
    found = power_of_project(FOLDER / "project.yml", None, PowerOptions(n_simulations=20))
    assert read == [england.folder]
    assert found.data_kind == "synthetic"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", " "], "empty text"),
        (["--level", "1.5"], "between 0 and 1"),
        (["--power", "0.01"], "power asked for"),
        (["--simulations", "3"], "at least 20"),
        (["--data", "no-such-folder"], "no such folder"),
    ],
)
def test_bad_input_is_refused_in_words(arguments, said):
    with pytest.raises(InputError, match=said):
        run(["knowsley-ssif", *arguments])


def test_the_panel_formula_agrees_with_placebo_sets(listed, monkeypatch):
    """The variance formula that more than twenty areas get, against the spread of what placebo sets show."""
    monkeypatch.setattr("evalkit.diagnose.power.power.supported_inference", supported_clusters)
    project, intake, design, _ = listed
    found = project_power(project, intake, design, {}, PowerOptions(n_simulations=400)).outcomes[0]
    assert np.isfinite(found.panel)
    # the formula by the run's own degrees of freedom; with t(areas − 2) within a third of the simulation's quantile
    n_areas = found.n_comparison_areas
    own = float(found.panel_method.partition(", with ")[2].partition(" degrees")[0])
    assert own < n_areas
    all_areas = (
        found.panel
        * multiplier(len(treated_by_area(project, intake, design.outcomes["READPROG"])) + n_areas - 2)
        / multiplier(own)
    )
    assert found.simulated.effect == pytest.approx(all_areas, rel=0.35)
