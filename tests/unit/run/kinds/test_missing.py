"""Missing outcomes by every kind: judged as the analysis itself, declared in the locked design, shown and recorded."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from evalkit.core.project import Analysis, Participants
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.design.kinds.matched import MatchedOptions
from evalkit.diagnose.kinds import matched as kind
from evalkit.diagnose.missing.of_areas import areas_samples
from evalkit.report.documents.released import results_record, results_schema
from evalkit.report.tables.missing import losses, missing_parts, what_if
from evalkit.run.kinds.registry import design_project, evaluate_project
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT
from tests.unit.run.kinds.test_staggered import evaluated as opened
from tests.unit.run.kinds.test_staggered import made

AREA = 340


def project_of(*participants, kinds=("areas",)):
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    outcomes = tuple(one for one in project.outcomes if one.code == "READPROG")
    options = {"areas": None, "matched": MatchedOptions(ratio=2)}
    analyses = tuple(Analysis(name=one, kind=one, primary=one == kinds[0], options=options[one]) for one in kinds)
    chosen = Participants(file="participants.csv") if participants else Participants(areas=(AREA,))
    return replace(
        project, outcomes=outcomes, participants=chosen, analyses=analyses, claims=None, contrasts=(), cost=None
    )


def with_losses(intake, treated):
    """The data with results of 2019 suppressed for three treated schools and one in nine others, and three closed."""
    records = intake.records["KS2"]
    values, reasons = records.values["READPROG"].copy(), records.reasons["READPROG"].copy()
    others = [unit for at, unit in enumerate(values.index) if at % 9 == 0 and unit not in treated]
    for units, reason in ((treated[:3], "suppressed (too few pupils)"), (others, "suppressed (too few pupils)"),
                          (treated[3:5], "no row in this year's table")):  # fmt: skip
        values.loc[units, 2019] = np.nan
        reasons.loc[units, 2019] = reason
    pupils = records.pupils.copy()
    pupils[2019] = 6 + np.arange(len(pupils)) % 30  # every size, so that some small ones are published
    changed = replace(records, values=records.values | {"READPROG": values}, pupils=pupils,
                      reasons=records.reasons | {"READPROG": reasons})  # fmt: skip
    return replace(intake, records=intake.records | {"KS2": changed})


@pytest.fixture(scope="module")
def whole_area(third_england):
    """The whole area, by areas and matched, some of its results missing."""
    project = project_of(kinds=("areas", "matched"))
    sources = find_sources(third_england)
    design = design_project(project, read_baseline(project, third_england, sources))
    intake = read_records(project, third_england, sources)
    group = design.plans[0].details.locked.outcomes["READPROG"].baseline.units["group"]
    intake = with_losses(intake, list(group.index[group == AREA]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "FEWER_SETS", 160)
        return design, intake, evaluate_project(design, intake)


def test_published_results_are_judged_as_by_the_analysis_itself(whole_area):
    design, intake, evaluation = whole_area
    plan = design.plans[0]
    [sample] = areas_samples(plan.project, intake, plan.details.locked)
    # the analysis needs a result in every year that it names, the partly exposed one included
    complete = sample.outcomes.values.where(sample.outcomes.values.notna().all(axis=1), np.nan)
    found, main = sample.judge(complete), evaluation.analyses[0].main("READPROG")
    assert (found.estimate, found.p_value) == pytest.approx((main.estimate, main.p_value), abs=1e-12)
    assert found.interval == main.interval
    assert (found.n_treated, found.n_comparison) == (main.n_treated, main.n_comparison)


@pytest.mark.parametrize("name", ["areas", "matched"])
def test_every_assumption_is_answered(whole_area, name):
    results = whole_area[2].analysis(name)
    one = results.missing.primary
    rows = {row.assumption: row for row in one.rows}
    assert list(rows) == ["published", "imputed", "worst", "best", "bounds"]
    assert rows["published"].estimate == results.main("READPROG").estimate
    assert rows["worst"].estimate < rows["best"].estimate
    assert rows["bounds"].lower < rows["bounds"].upper
    assert rows["imputed"].n_treated > rows["published"].n_treated
    for row in rows.values():
        assert isinstance(row.interval, Interval)
        assert row.interval.lower < row.lower <= row.upper < row.interval.upper
    assert one.losses[0].lost["suppressed"] == 3
    assert one.losses[0].lost["closed"] >= 2
    assert isinstance(one.tipping.slope, float)
    assert 0 < one.tipping.slope < 1


def test_what_is_declared_is_part_of_the_locked_design(whole_area):
    for plan in json.loads(whole_area[0].to_json())["analyses"].values():
        assert plan["missing"] == {"bounds": "lee", "imputation": {"draws": 20}, "tipping": True,
                                   "suppressed": "worst-best"}  # fmt: skip


def test_findings_state_what_missing_results_could_do_without_a_verdict_on_the_effect(whole_area):
    areas, matched = whole_area[2].analyses
    names = [one.name for one in areas.findings]
    assert "missing_results" in names
    assert "missing_after" not in names  # the kind has a check of attrition of its own
    by_name = {one.name: one for one in matched.findings}
    assert by_name["missing_results"].verdict == "no verdict"
    lost = by_name["missing_after"]
    assert lost.statistic == pytest.approx(abs(matched.missing.primary.differential))
    assert lost.verdict == (
        "serious" if lost.statistic > 0.10 else "caution" if lost.statistic > 0.05 else "reassuring"
    )


def test_results_json_holds_it_and_meets_its_schema(whole_area):
    record = results_record(whole_area[2])
    for one in record["analyses"]:
        assert {row["assumption"] for row in one["missing"]["outcomes"][0]["rows"]} >= {"imputed", "bounds"}
        schema = results_schema()
        jsonschema.validate(one, {"$ref": "#/$defs/analysis", "$defs": schema["$defs"]})
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(
                {**one, "missing": {"outcomes": []}}, {"$ref": "#/$defs/analysis", "$defs": schema["$defs"]}
            )


def test_the_tables_show_every_row_and_add_up(whole_area):
    for results in whole_area[2].analyses:
        table, lost = what_if(results.missing), losses(results.missing)
        assert len(table.table.rows if hasattr(table, "table") else table.record()["rows"]) == 5
        assert len(missing_parts(results)) == 3
        assert lost is not None


def test_a_kind_that_says_nothing_says_so(whole_area):
    results = replace(whole_area[2].analyses[0], missing=Unavailable("This kind does not."))
    assert missing_parts(results)[1].sentences == ("This kind does not.",)


def test_listed_schools_are_judged_by_sets_and_bounds_of_every_set(third_england, whole_area, tmp_path):
    _, intake, _ = whole_area
    units = list(whole_area[0].plans[0].details.locked.outcomes["READPROG"].baseline.units.query("group == 340").index)
    (tmp_path / "participants.csv").write_text(
        "URN\n" + "\n".join(next(u for u, s in intake.records["KS2"].urns.items() if s == one and u.isdigit())
                            for one in units[:12]) + "\n", encoding="utf-8")  # fmt: skip
    project = project_of("listed")
    project = replace(project, pool=replace(project.pool, minimum_treated=2))
    sources = find_sources(third_england)
    design = design_project(project, read_baseline(project, tmp_path, sources))
    data = with_losses(read_records(project, tmp_path, sources), units)
    locked = design.plans[0].details.locked
    [sample] = areas_samples(design.plans[0].project, data, locked)
    found = sample.bounds()
    outcomes = sample.outcomes
    whole = (outcomes.arm == "treated").to_numpy() & outcomes.has_all_before
    assert whole.sum() == 12
    assert found.observed_treated == pytest.approx(outcomes.has_all_after[whole].mean())
    assert found.observed_treated <= 7 / 12
    assert isinstance(found.interval, Interval)
    assert found.interval.lower < found.lower < found.upper < found.interval.upper
    judged = sample.judge(outcomes.values)
    assert judged.n_treated == outcomes.has_all_after[whole].sum()
    assert isinstance(judged.std_error, Unavailable)
    rule = locked.outcomes["READPROG"].sets.rule
    assert found.lower <= judged.estimate <= found.upper or rule == "like"


def test_starts_in_different_years_are_imputed_and_have_bounds_of_their_cells(tmp_path):
    path, table = made(tmp_path / "gaps", n_treated_areas=24)
    scores = tmp_path / "gaps" / "scores.csv"
    text = scores.read_text(encoding="utf-8").splitlines()
    last = str(table["year"].max())
    kept = [line for at, line in enumerate(text) if f",{last}," not in line or at % 11]
    scores.write_text("\n".join(kept) + "\n", encoding="utf-8")
    results = opened(path)
    rows = {row.assumption: row for row in results.missing.primary.rows}
    assert rows["imputed"].estimate == pytest.approx(rows["published"].estimate, abs=0.3)
    assert rows["bounds"].lower < rows["published"].estimate < rows["bounds"].upper
    assert rows["bounds"].interval.lower < rows["bounds"].lower < rows["bounds"].upper < rows["bounds"].interval.upper
    assert 0 < results.missing.primary.imputation.missing_share < 0.3
    assert isinstance(rows["imputed"].interval, Interval)
    assert rows["imputed"].n_treated == rows["published"].n_treated
    assert results.missing.primary.tipping.shift < 0 < results.missing.primary.tipping.slope
