"""The tables of the technical report and of the appendix say what the results hold."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_fixture import make_provenance
from report_running import ORDER

from evalkit import report
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.words.names import forbidden_words
from tests.unit.report.words.test_sentences import listed_schools


def test_outcomes_have_schools_pupils_and_means(evaluation: AreasResults) -> None:
    row = report.outcomes(evaluation).table.rows[0]
    assert row == ("Reading progress", "Primary", 49, 563, 1787, 21687, -1.03, 0.1, -0.2, 0.0)


def test_a_small_number_of_pupils_is_withheld(evaluation: AreasResults) -> None:
    few = tuple(replace(row, n_pupils_treated=4) for row in evaluation.outcomes)
    shown = report.outcomes(replace(evaluation, outcomes=few))
    assert isinstance(shown.table.column("n_pupils_treated")[0], Unavailable)


def test_every_outcome_has_its_differences_effect_size_months_and_p_values(evaluation: AreasResults) -> None:
    table = report.outcome_results(evaluation).table
    row = dict(zip((column.key for column in table.columns), table.rows[0], strict=True))
    assert (row["raw"], row["estimate"], row["interval"]) == (0.1, 0.94, Interval(0.02, 1.86))
    assert row["hedges_g"] == pytest.approx(0.94 / 7.88)
    assert row["months"] == "2 (0 to 3)"
    assert (row["p_value"], row["p_adjusted"]) == pytest.approx((7 / 149, 14 / 149))
    assert row["detectable"] == 1.31
    assert any("Reading progress 7.88" in note for note in table.notes)
    assert any("Reading progress and Writing progress" in note for note in table.notes)
    assert "*" not in report.outcome_results(evaluation)._repr_html_()


def test_an_outcome_not_estimated_gives_its_reason_throughout(unavailable: AreasResults) -> None:
    assert set(report.outcome_results(unavailable).table.rows[0][1:]) == {Unavailable("Six schools are too few.")}


def test_listed_schools_show_the_interval_clustered_by_area(evaluation: AreasResults) -> None:
    several = listed_schools(evaluation, ((340, "Knowsley"), (341, "Liverpool")))
    row = report.outcome_results(several).table.rows[0]
    assert Interval(-0.3, 2.18) in row
    assert 0.11 in row


def test_months_do_not_stand_without_an_interval(evaluation: AreasResults) -> None:
    size = evaluation.effects[0].effect_size
    assert size
    assert size.months
    alone = replace(size, months=replace(size.months, lower=None, upper=None))
    effects = (replace(evaluation.effects[0], effect_size=alone), *evaluation.effects[1:])
    shown = report.effect_sizes(replace(evaluation, effects=effects)).table.column("months")
    assert shown == (Unavailable("Not given without an interval."),)


def test_losses_are_percentages(evaluation: AreasResults) -> None:
    # every row of the fixture's flow is left out for what a school is, so nobody eligible is lost
    table = report.attrition(evaluation).table
    assert table.rows[0] == ("Reading progress", 49, 0, 563, 0, 0.0, 0.0)


def test_how_alike_schools_of_one_area_changed(evaluation: AreasResults, unavailable: AreasResults) -> None:
    row = report.intraclass(evaluation).table.rows[0]
    assert row == ("Reading progress", 0.031, Interval(0.023, 0.043), 0.042, Interval(0.031, 0.057), 14022, 150)
    empty = report.intraclass(replace(unavailable, intraclass=())).table.rows
    assert empty[0][1] == Unavailable("No outcome was estimated.")


def test_the_least_detectable_effect_is_given_in_standard_deviations(evaluation: AreasResults) -> None:
    assert report.detectable(evaluation).table.rows[0][3] == pytest.approx(1.31 / 6.17)


def test_balance_carries_the_category_of_the_standard(evaluation: AreasResults) -> None:
    # neighbours keep a fifth of the way: 2016 is (-1.21 - (-0.252)) / 2.7 = -0.355 apart
    table = report.balance(evaluation.design).table
    assert dict(zip(table.column("covariate"), table.column("category"), strict=False))["Reading progress 2016"] in {
        "Fails",
        "Adjust",
        "Satisfied",
    }
    assert table.column("category")[0] == "Fails"


def test_the_checklist_answers_every_item(evaluation: AreasResults, unavailable: AreasResults) -> None:
    for one in (evaluation, unavailable, listed_schools(evaluation)):
        table = report.checklist(one).table
        assert len(table.rows) >= 25
        assert [row[0] for row in table.rows] == [str(n) for n in range(1, len(table.rows) + 1)]
        assert all(str(cell).strip() for row in table.rows for cell in row)
        assert forbidden_words(report.checklist(one)._repr_html_()) == []
    assert "The project lists no claims." in report.checklist(unavailable).table.column("note")
    assert "The project file states none." in report.checklist(unavailable).table.column("note")


def test_the_checklist_claims_no_inference_that_was_not_made(evaluation: AreasResults) -> None:
    said = " ".join(str(cell) for cell in report.checklist(listed_schools(evaluation)).table.column("note"))
    for claim in ("Errors clustered by area", "The interval allows for areas", "both ends of the interval", "Holm"):
        assert claim not in said
    assert "None that could be relied on" in said
    several = listed_schools(evaluation, ((340, "Knowsley"), (341, "Liverpool")))
    assert "Errors clustered by area" in str(report.checklist(several).table.column("note"))


def test_captions_claim_no_interval_and_no_permutation_that_was_not_made(evaluation: AreasResults) -> None:
    listed = replace(listed_schools(evaluation), distributions=())
    assert "No year has an interval." in report.event_study_plot(listed).caption
    assert report.permutation_plot(listed).caption.endswith("no area was analysed in the place of Knowsley")


def test_the_checklist_names_parts_by_their_headings(evaluation: AreasResults) -> None:
    folder = Path(__file__).parents[4] / "notebooks"
    kits = [path for path in folder.glob("*.ipynb") if path.stem in ORDER]
    heads = [head for path in kits for head in re.findall(r'"# (.*?\?)', path.read_text(encoding="utf-8"))]
    assert len(heads) == 7
    left = " ".join(str(cell) for cell in report.checklist(evaluation).table.column("where"))
    for head in heads:
        assert head in left
        left = left.replace(head, "")
    assert left.replace("Not in this report", "").strip() == ""


def test_only_outcomes_with_an_adjusted_p_are_named_as_adjusted(evaluation: AreasResults) -> None:
    none = tuple(replace(row, p_adjusted=Unavailable("Too few.")) for row in evaluation.outcomes)
    assert "Holm" in " ".join(report.outcome_results(evaluation).table.notes)
    assert "Holm" not in " ".join(report.outcome_results(replace(evaluation, outcomes=none)).table.notes)


def test_other_programmes_say_whether_their_areas_are_compared(evaluation: AreasResults) -> None:
    table = report.contamination(evaluation.design).table
    assert all(str(cell).startswith(("Neighbours (", "Not neighbours", "–")) for cell in table.column("used"))


def test_what_is_withheld_names_the_threshold(evaluation: AreasResults) -> None:
    assert "fewer than 6 pupils" in report.disclosure(evaluation).text


def test_cost_by_pupil_stands_with_its_band(evaluation: AreasResults) -> None:
    table = report.cost(evaluation).table
    # 744,103 / 20,311 = 36.64; over 1.49 years 24.51
    assert table.column("amount")[2:4] == pytest.approx((36.635, 24.507), abs=0.001)
    assert "“very low”" in table.notes[0]
    assert "where some schools did not take part, it is more for each pupil of those that did" in table.notes[0]
    assert evaluation.cost
    none = replace(evaluation.cost, n_pupils=Unavailable("No roll."), band=Unavailable("No roll."))
    assert ("For each pupil", Unavailable("No roll.")) in report.cost(replace(evaluation, cost=none)).table.rows


def test_parameters_are_flat_and_whole(evaluation: AreasResults) -> None:
    rows = dict(report.parameters(make_provenance(evaluation)).table.rows)
    assert rows == {
        "slug": "knowsley-ssif",
        "programme.place": "Knowsley",
        "programme.description": "Given in words in the report.",
        "exposure.pre": "2016, 2017",
        "exposure.partial": "none",
        "exposure.post": "2019",
        "outcomes.1.measure": "READPROG",
        "outcomes.1.role": "primary",
        "outcomes.2.measure": "MATPROG",
        "outcomes.2.role": "placebo",
        "pool.require_all_years": "yes",
        "pool.exclude_areas": "none",
        "cost.total_gbp": "744103",
        "claims": "not given",
    }


def test_the_commands_name_the_commit_and_ask_for_the_folder_of_published_files(evaluation: AreasResults) -> None:
    made = make_provenance(evaluation)
    commands = report.run_again(made).table.column("command")
    assert commands[0] == f"git checkout {'c0' * 20}"
    assert commands[2] == "python3 run.py evalkit run knowsley-ssif --out again"
    real = report.run_again(replace(made, data_kind="real", commit="unknown")).table.column("command")
    assert real[0] == "(the commit is not known)"
    assert real[2].endswith("--data FOLDER --out again")


def test_code_that_differs_from_its_commit_is_said_to(evaluation: AreasResults) -> None:
    made = make_provenance(evaluation)
    assert "differed" not in report.made_from(made).text
    own = replace(made, data_kind="real", parameters={"data": {"tables": {"scores": {}}}}, inputs=made.inputs[:0])
    assert report.made_from(own).text.startswith("This report was made from tables of the project's own: 0 files")
    assert not any("--data" in command for command in report.run_again(own).table.column("command"))
    assert "cannot be made again from the commit alone" in report.made_from(replace(made, commit="c0 (changed)")).text


def test_files_and_versions_stand_in_full(evaluation: AreasResults) -> None:
    made = make_provenance(evaluation)
    assert report.inputs(made).table.rows == (("data/gias/links.csv", "ab" * 32),)
    names = report.versions(made).table.column("name")
    assert names == ("Commit of the kit", "Linear algebra and machine", "evalkit", "python")
