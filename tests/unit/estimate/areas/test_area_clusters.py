"""Schools listed by name: placed among sets, with areas as clusters beside them, or leading where areas are many."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.plain import json_text
from evalkit.core.project import Participants
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.flow import Flow
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.design.clusters import ClusterCounts, Recommendation
from evalkit.design.project import labels
from evalkit.design.project.inference import project_inference
from evalkit.design.project.plan import make_design
from evalkit.diagnose.finding import FindingKind, Verdict
from evalkit.diagnose.power.power import project_power
from evalkit.diagnose.power.report import PowerOptions
from evalkit.diagnose.project.describe import describe_design
from evalkit.diagnose.project.evaluate import evaluate
from evalkit.diagnose.project.influence import influences
from evalkit.diagnose.project.results import Results
from evalkit.estimate.areas.clusters import degrees_of_freedom, supported_inference
from evalkit.estimate.areas.outcome_effects import estimate_outcome
from evalkit.estimate.areas.sample import changes_to, outcome_panel
from evalkit.report.border.disclosure import release_record
from evalkit.report.kinds.areas import record
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[4]
AREAS = (340, 343, 350, 390, 373, 330)


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    """Return a small England; schools are not matched in this module, as nothing in it asks for them."""
    folder = tmp_path_factory.mktemp("england")
    write_synthetic_england(folder, seed=5, scale=0.25)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evalkit.design.project.plan._matching_options", lambda *arguments: {})
        yield folder


@pytest.fixture(scope="module")
def listed(england, tmp_path_factory):
    """Return a function that evaluates a project of listed schools once, and gives its folder as well."""
    made = {}

    def of(areas, every=2):
        if (areas, every) not in made:
            folder = tmp_path_factory.mktemp("listed")
            made[areas, every] = (*evaluated(england, folder, areas, every), folder)
        return made[areas, every]

    return of


def evaluated(england, folder, areas, every=2, most=False):
    """Return the evaluation of a project whose schools are half (or all) of those of some areas."""
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    pool = replace(whole.pool, minimum_treated=4, minimum_area_schools=4)
    outcomes = tuple(one for one in whole.outcomes if one.code in ("READPROG", "MATPROG"))  # as the others are
    plain = replace(whole, outcomes=outcomes, pool=pool, claims=None)
    sources = find_sources(england)
    schools = read_records(plain, folder, sources).records["KS2"].schools
    chosen = [urn for area in areas for urn in schools.index[schools["area"] == area][::every]]
    if most:  # all schools of the first area, and one of each other
        of_area = [list(schools.index[schools["area"] == area]) for area in areas]
        chosen = [*of_area[0], *(urns[0] for urns in of_area[1:])]
    (folder / "participants.csv").write_text("URN\n" + "\n".join(chosen) + "\n", encoding="utf-8")
    project = replace(plain, participants=Participants(file="participants.csv"))
    baseline = read_baseline(project, folder, sources)
    locked = make_design(project, baseline)
    records = read_records(project, folder, sources)
    return evaluate(project, records, locked, describe_design(project, baseline, locked), ()), records, locked


@pytest.fixture(scope="module")
def several(listed):
    return listed(AREAS)[:3]


def clustered(evaluation):
    found = [e for e in evaluation.effects if (e.inference, e.cluster_level) == ("cluster", "local_authority")]
    return [e for e in found if e.outcome == "READPROG"]


def test_several_areas_are_clustered_by_area(several):
    evaluation, _, _ = several
    [effect] = clustered(evaluation)
    main = next(e for e in evaluation.effects if (e.outcome, e.design, e.period) == ("READPROG", "neighbours", "post"))
    assert effect.n_treated_clusters == len(AREAS)
    assert effect.estimate == main.sets.unadjusted
    assert isinstance(effect.interval, Interval)
    assert effect.estimate in effect.interval
    assert 0 < effect.p_value <= 1
    assert (
        "Clustered by local authority: CR2 with Satterthwaite degrees of freedom. With 6 treated areas" in effect.method
    )
    assert "areas are treated" in effect.method


def test_the_estimate_is_each_areas_difference_from_its_own_neighbours(several):
    evaluation, records, locked = several
    [effect] = clustered(evaluation)
    design, project = locked.outcomes["READPROG"], evaluation.project
    panel = outcome_panel(project, records.records["KS2"], design, project.pool.require_all_years)
    changes = changes_to(panel, project.exposure, project.exposure.post)
    area = records.records["KS2"].schools["area"].reindex(changes.units).to_numpy()
    gaps, sizes = [], []
    for code in AREAS:
        own = (changes.group == design.treated_group) & (area == code)
        near = [one for one in records.neighbours[project.pool.neighbours].of(code) if one not in AREAS]
        gaps.append(changes.change[own].mean() - changes.change[np.isin(changes.group, near)].mean())
        sizes.append(own.sum())
    assert effect.estimate == pytest.approx(np.average(gaps, weights=sizes), rel=1e-12)


def test_the_finding_says_what_clustering_gives(several):
    evaluation, _, _ = several
    [finding] = [f for f in evaluation.findings if f.name == "clustering_by_area"]
    assert finding.verdict is Verdict.NO_VERDICT  # how clear the effect is says nothing of what could be wrong
    assert "6 treated authorities" in finding.sentence


def test_falsification_tests_of_listed_schools_are_ranked_among_sets(several):
    evaluation, _, _ = several
    tests = {f.name: f for f in evaluation.findings if f.kind is FindingKind.FALSIFICATION}
    assert set(tests) >= {"pre_trend", "placebo_outcome", "alternative_list", "influence", "joint"}
    for name in ("pre_trend", "placebo_outcome", "alternative_list", "joint"):
        assert isinstance(tests[name].p_value, float), name
        assert tests[name].verdict is not Verdict.NOT_ASSESSABLE
    assert tests["influence"].verdict is Verdict.NOT_ASSESSABLE  # a school can count in several comparisons
    lead = evaluation.effect("READPROG", labels.LEAD, "2017")
    assert tests["pre_trend"].p_value == pytest.approx(lead.p_value, rel=1e-9)
    assert tests["pre_trend"].statistic == pytest.approx(lead.estimate, rel=1e-9)
    placebo = evaluation.effect("MATPROG")
    assert tests["placebo_outcome"].p_value == placebo.p_value
    assert "% of draws of as many schools in 6 other areas moved" in tests["pre_trend"].sentence


def test_the_headline_gives_the_interval_of_the_sets(several):
    evaluation, _, _ = several
    main = evaluation.effect("READPROG")
    assert evaluation.headline.interval == main.interval
    assert evaluation.headline.estimate == main.estimate
    assert evaluation.headline.p_value == main.p_value


def test_every_comparison_beside_is_placed_among_sets(several):
    evaluation, _, _ = several
    beside = [e for e in evaluation.effects if e.inference == "sets" and e.outcome == "READPROG"]
    designs = {effect.design for effect in beside}
    assert {labels.ENGLAND, "neighbours_2025", labels.PUPIL_WEIGHTED, labels.UNRESTRICTED, labels.LEAD} <= designs
    assert {labels.TREND_ADJUSTED, labels.AREA_WEIGHTED, labels.WHOLE_AREA} <= designs
    for effect in beside:
        if effect.design == labels.SETS_LIKE:  # few areas hold so many of each tenth
            assert "other areas could hold such sets, for 6 treated ones" in effect.p_value.reason
            continue
        assert isinstance(effect.p_value, float), effect.design
        assert effect.sets.n_treated_areas == len(AREAS)
    years = [band for band in evaluation.bands if band.outcome == "READPROG"]
    assert all(isinstance(band.band, Interval) for band in years)
    for band in years:
        single = evaluation.effect("READPROG", period=str(band.year)).interval
        assert band.band.lower <= single.lower + 1e-12
        assert band.band.upper >= single.upper - 1e-12
    other = [e for e in evaluation.effects if e.design == labels.OWN_AREA and e.outcome == "READPROG"]
    assert [e.inference for e in other] == ["units"]
    assert 0 < other[0].p_value <= 1
    [diluted] = [one for one in evaluation.dilution if one.outcome == "READPROG"]
    whole = evaluation.effect("READPROG", labels.WHOLE_AREA)
    assert diluted.parts[0].estimate == pytest.approx(whole.estimate / diluted.share)


def test_two_areas_get_what_two_areas_support(listed):
    evaluation = listed(AREAS[:2])[0]
    [effect] = clustered(evaluation)
    assert effect.n_treated_clusters == 2
    assert "Clustered by local authority: unavailable." in effect.method
    assert "With 2 treated areas no error clustered by area can be relied on" in effect.p_value.reason
    main = evaluation.effect("READPROG")
    assert (main.inference, main.sets.n_treated_areas) == ("sets", 2)


def test_one_area_gets_no_record(listed):
    assert clustered(listed(AREAS[:1])[0]) == []


def made(evaluation):
    """Return the name of the inference that a run's main effect has."""
    main = evaluation.effect("READPROG")
    if isinstance(main.interval, Interval) or isinstance(main.p_value, float):
        if main.sets is None or (main.sets.is_whole and main.sets.n_treated_areas == 1):
            return "area permutation"
        return "randomisation over whole areas" if main.sets.is_whole else "randomisation over sets"
    if not clustered(evaluation):
        return "none"
    [effect] = clustered(evaluation)
    named = effect.method.partition("Clustered by local authority: ")[2].partition(".")[0]
    return "none" if isinstance(effect.p_value, Unavailable) and named == "unavailable" else named


@pytest.mark.parametrize(
    ("areas", "every", "named"),
    [
        ((), 1, "area permutation"),
        (AREAS, 1, "randomisation over whole areas"),
        (AREAS[:1], 1, "area permutation"),
        (AREAS[:1], 2, "randomisation over sets"),
        (AREAS, 2, "randomisation over sets"),
        (AREAS[:2], 2, "randomisation over sets"),
    ],
    ids=["whole area", "several areas", "every school of one", "listed in one", "listed in several", "listed in two"],
)
def test_power_names_what_the_run_makes(england, listed, areas, every, named):
    if areas:
        evaluation, _, locked, folder = listed(areas, every)
    else:
        evaluation, locked, folder = whole_area(england)
    intake = read_baseline(evaluation.project, folder, find_sources(england))
    found = project_power(evaluation.project, intake, locked, {}, PowerOptions(n_simulations=20)).outcomes[0]
    assert found.leads == made(evaluation) == named


def whole_area(england):
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    project = replace(project, pool=replace(project.pool, minimum_treated=4, minimum_area_schools=4), claims=None)
    sources = find_sources(england)
    baseline = read_baseline(project, ROOT, sources)
    locked = make_design(project, baseline)
    stage = describe_design(project, baseline, locked)
    return evaluate(project, read_records(project, ROOT, sources), locked, stage, ()), locked, ROOT


def test_listed_schools_of_which_one_area_holds_most_get_no_interval():
    weight = pd.Series([1.0] * 80 + [1.0] * 5 * 4 + [1.0] * 200)
    area = pd.Series([1] * 80 + [at for at in range(2, 7) for _ in range(4)] + [100 + at // 20 for at in range(200)])
    groups = area.where(area >= 100, 0)
    design = SimpleNamespace(
        too_few="",
        treated_group=0,
        is_whole_area=False,
        treated_areas=(1, 2, 3, 4, 5, 6),
        groups=groups,
        comparisons={labels.NEIGHBOURS: SimpleNamespace(of=lambda group: tuple(range(100, 110)))},
        sets=None,
    )
    found = project_inference(design, area, weight)
    assert (found.kind, found.method) == ("none", "none")
    assert "worth 1.5 equal clusters" in found.reason  # 1/(.8² + 5 × .04²)
    assert "80% of the weight" in found.reason
    assert found.counts == ClusterCounts(6, 10)
    even = project_inference(design, area, 1 / area.map(area.value_counts()))
    assert even.method == "CR2 with Satterthwaite degrees of freedom"


def design_of_areas(treated, compared):
    """Return schools listed in areas of which so many lie in each, against areas of so many, each weighing one."""
    sizes = (*treated, *compared)
    area = pd.Series(np.repeat(np.arange(len(sizes)), sizes))
    groups = area.where(area >= len(treated), 0)
    others = tuple(range(len(treated), len(sizes)))
    design = SimpleNamespace(
        too_few="",
        treated_group=0,
        is_whole_area=False,
        treated_areas=tuple(range(len(treated))),
        groups=groups,
        comparisons={labels.NEIGHBOURS: SimpleNamespace(of=lambda group: others)},
        sets=None,
    )
    return design, area, pd.Series(1.0, area.index)


def degrees_by_hand(*arms):
    """Return (Σ var)²/Σ cov² of the clusters' sums of residuals over N√(1 − h), schools independent and alike."""
    total, squares = 0.0, 0.0
    for arm in arms:
        sizes = np.array(arm, dtype=float)
        n, left = sizes.sum(), 1 - sizes / sizes.sum()
        products = -np.outer(sizes, sizes) / n**3 / np.sqrt(np.outer(left, left))
        np.fill_diagonal(products, sizes / n**2)
        total, squares = total + products.trace(), squares + (products**2).sum()
    return total**2 / squares


def test_degrees_of_freedom_are_those_of_the_test_that_a_run_makes():
    for treated in ((8, 6, 4), (6, 6, 6), (9, 7, 5, 3)):
        found = degrees_of_freedom(*design_of_areas(treated, (65,) * 20))
        assert found == pytest.approx(degrees_by_hand(treated, (65,) * 20))


def test_three_unequal_areas_are_named_before_outcomes_as_too_few():
    few = design_of_areas((8, 6, 4), (65,) * 20)
    assert project_inference(*few).method == "CR2 with Satterthwaite degrees of freedom"  # by shares alone 2.01
    found = supported_inference(*few)
    assert (found.kind, found.method) == ("none", "none")
    assert "they leave 1.8 degrees of freedom, and 2 are needed" in found.reason  # 1.893, not rounded up
    even = supported_inference(*design_of_areas((6, 6, 6), (65,) * 20))
    assert even.method == "CR2 with Satterthwaite degrees of freedom"
    assert even.df == pytest.approx(2.0557, abs=1e-4)


def test_numbers_of_listed_schools_of_which_one_area_holds_most_stand_nowhere(england, tmp_path, monkeypatch):
    evaluation, records, locked = evaluated(england, tmp_path, AREAS, most=True)
    [effect] = clustered(evaluation)
    for value in (effect.std_error, effect.interval, effect.p_value):
        assert "equal clusters" in value.reason
    assert "Clustered by local authority: unavailable." in effect.method
    asked = Recommendation("cluster-robust", "Asked for.")
    monkeypatch.setattr("evalkit.design.project.inference.recommended_inference", lambda *arguments: asked)
    effects = estimate_outcome(evaluation.project, records, locked.outcomes["READPROG"], "primary").effects
    told = next(e for e in effects if (e.inference, e.cluster_level) == ("cluster", "local_authority"))
    assert isinstance(told.interval, Interval)  # what plain clustered errors would have said
    written = record(SimpleNamespace(details=evaluation, judgements=()))
    text = json_text(release_record(written, evaluation.project.disclosure.threshold), indent=1)
    assert f"{abs(effect.estimate):.6f}"[:-2] in text  # as numbers are written
    for number in (told.std_error, told.p_value, told.interval.lower, told.interval.upper):
        assert f"{abs(number):.12f}"[:-6] not in text


# What the result would bear, were trends not parallel, and who moves it.


def gaps_by_hand(evaluation, records, locked, areas):
    """Return each area's listed schools less its own neighbours' in 2016, 2017 and 2019, by their number."""
    design, project = locked.outcomes["READPROG"], evaluation.project
    panel = outcome_panel(project, records.records["KS2"], design, project.pool.require_all_years)
    wide, group = panel.wide(), panel.by_unit()["cluster"]
    area = records.records["KS2"].schools["area"].reindex(wide.index)
    rows, sizes = [], []
    for code in areas:
        own = (group == design.treated_group) & (area == code)
        near = [one for one in records.neighbours[project.pool.neighbours].of(code) if one not in areas]
        rows.append(wide[own][[2016, 2017, 2019]].mean() - wide[group.isin(near)][[2016, 2017, 2019]].mean())
        sizes.append(int(own.sum()))
    return np.average(rows, axis=0, weights=sizes)


@pytest.mark.parametrize("areas", [AREAS[:1], AREAS])
def test_bounds_of_listed_schools_among_sets(listed, areas):
    evaluation, records, locked = listed(areas)[:3]
    bounds = next(one.found for one in evaluation.bounds if one.outcome == "READPROG")
    before, base, after = gaps_by_hand(evaluation, records, locked, areas)
    rule = evaluation.effect("READPROG").sets.rule
    if rule == "simple":  # else less what such sets have
        assert bounds.estimate == pytest.approx(after - base)
        assert bounds.steps[0].step == pytest.approx(base - before)
    assert bounds.n_sets > 1000
    assert bounds.monte_carlo_error > 0
    assert bounds.rows[0].m == 0.0
    assert 0 < bounds.p_at_zero <= 1
    assert (bounds.breakdown == 0) or bounds.is_in_tail
    for row in bounds.rows:
        if isinstance(row.interval, Interval):
            assert bounds.estimate in row.interval


def test_trends_that_sets_would_show(several):
    seen = several[0].pre_trends
    assert [test.test for test in seen.tests] == ["rank", "rank"]
    assert 0 <= seen.tests[0].size <= 0.06
    half, most = seen.tests[0].found
    assert 0 < half.slope < most.slope
    assert half.power == pytest.approx(0.5, abs=0.01)
    assert half.bias == pytest.approx(2.5 * half.slope)  # from 2016 and 2017 to 2019


def test_parts_of_listed_schools(several):
    evaluation, _, _ = several
    found, main = evaluation.influences, evaluation.effect("READPROG")
    assert found.estimate == pytest.approx(main.sets.unadjusted)
    assert found.spread == main.sets.spread
    assert found.n_looked_at["treated area"] == len(AREAS)
    assert sum(one.n_schools for one in found.of("treated area")) == main.n_treated
    assert "no column “group”" in found.notes[0]


def test_one_treated_area_in_six_is_left_out(several):
    evaluation, records, locked = several
    parts = {one.name: one.estimate for one in evaluation.influences.of("treated area")}
    names = records.neighbours[evaluation.project.pool.neighbours].names
    kept = AREAS[1:]
    gaps = {code: gaps_of_one(evaluation, records, locked, code) for code in kept}
    expected = np.average([gap for gap, _ in gaps.values()], weights=[n for _, n in gaps.values()])
    assert parts[names[AREAS[0]]] == pytest.approx(expected)


def gaps_of_one(evaluation, records, locked, code):
    """Return one area's mean change less that of its own neighbours, no treated area among them, and its schools."""
    design, project = locked.outcomes["READPROG"], evaluation.project
    panel = outcome_panel(project, records.records["KS2"], design, project.pool.require_all_years)
    changes = changes_to(panel, project.exposure, project.exposure.post)
    area = records.records["KS2"].schools["area"].reindex(changes.units).to_numpy()
    own = (changes.group == design.treated_group) & (area == code)
    near = [one for one in records.neighbours[project.pool.neighbours].of(code) if one not in AREAS]
    return changes.change[own].mean() - changes.change[np.isin(changes.group, near)].mean(), int(own.sum())


def test_trusts_and_networks_are_left_out(england, listed, tmp_path):
    evaluation, _, _, folder = listed(AREAS[:2])
    rows = (folder / "participants.csv").read_text(encoding="utf-8").split()[1:]
    grouped = [f"{urn},{'North' if at % 3 else 'South'} trust" for at, urn in enumerate(rows)]
    (tmp_path / "participants.csv").write_text("URN,Trust\n" + "\n".join(grouped) + "\n", encoding="utf-8")
    project, sources = evaluation.project, find_sources(england)
    intake = read_records(project, tmp_path, sources)
    locked = make_design(project, intake)
    main = estimate_outcome(project, intake, locked.outcomes["READPROG"], "primary", is_brief=True)
    results = Results(project, intake, locked, evaluation.design, {"READPROG": main}, Flow(()))
    found = influences(results)
    trusts = found.of("trust or network")
    assert {one.name for one in trusts} == {"North trust", "South trust"}
    assert sum(one.n_schools for one in trusts) == results.main_effect.n_treated
    assert found.notes == ()
