"""Tables and figures say what the results hold."""

import re
from dataclasses import replace

import pytest

from evalkit import report
from evalkit.core.errors import EvalkitError
from evalkit.core.project import Exposure, InferenceChoices
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.project.checks import CHECKS
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.tables.design import averaging_note
from evalkit.report.templates import packaged
from evalkit.report.words.names import FINDINGS


def test_inference_by_school_has_a_standard_error_and_no_p_value(evaluation: AreasResults) -> None:
    table = report.inference(evaluation).table
    rows = {row[0]: row for row in table.rows}
    school = rows["Clustered by school"]
    assert school[1] == "School sampling only; excludes shocks to areas"
    assert school[3] == 0.41
    assert school[5] == Unavailable("Clustering by school excludes area shocks, so a p-value from it would mislead.")
    one_sided = Unavailable("None: a one-sided test bounds the effect on one side only.")
    assert rows["Area permutation, one-sided (rose more)"][4] == one_sided
    assert "*" not in report.inference(evaluation)._repr_html_()


def test_each_statistic_stands_with_its_own_interval(evaluation: AreasResults) -> None:
    studentised = "Area permutation, each change over its standard error (studentised), two-sided"
    rows = {row[0]: row for row in report.inference(evaluation).table.rows}
    assert rows[studentised][4:] == (Interval(0.11, 1.77, 0.95), 0.027)
    asked = replace(evaluation.project, inference=InferenceChoices(statistic="studentised"))
    rows = {row[0]: row for row in report.inference(replace(evaluation, project=asked)).table.rows}
    assert rows[studentised][4:] == (evaluation.effects[0].interval, evaluation.effects[0].p_value)
    assert rows["Area permutation, changes themselves, two-sided"][4:] == (Interval(0.02, 1.86, 0.95), 0.047)


def test_inference_by_area_gives_the_reason_in_one_cell(evaluation: AreasResults) -> None:
    html = report.inference(evaluation)._repr_html_()
    assert html.count("its residuals sum to zero") == 1
    assert 'colspan="3"' in html


def test_the_event_study_names_its_base_and_its_one_comparison(evaluation: AreasResults) -> None:
    table = report.event_study(evaluation).table
    assert "they hold only one comparison" in table.notes[0]
    assert table.column("year") == ("2016", "2017", "2018", "2019")
    project = replace(evaluation.project, exposure=Exposure(pre=(2015, 2016, 2017), partial=(2018,), post=(2019,)))
    assert "2 independent comparisons" in report.event_study(replace(evaluation, project=project)).table.notes[0]


def test_designs_stand_side_by_side_with_what_is_estimated(evaluation: AreasResults) -> None:
    table = report.effects(evaluation).table
    assert len(table.rows) == 9
    assert table.rows[0] == ("Statistical neighbours (main)", 49, 563, 0.94, Interval(0.02, 1.86), 7 / 149)
    assert any("among the area's schools that could be matched" in note for note in table.notes)


def test_months_stand_at_the_estimate_and_both_ends(evaluation: AreasResults) -> None:
    table = report.effect_sizes(evaluation).table
    assert table.column("months") == ("2 (0 to 3)",)
    assert table.column("sd_used") == (7.88,)
    assert table.column("sd_conditional") == (6.17,)
    assert table.column("hedges_g_conditional") == pytest.approx((0.94 / 6.17,))
    assert any("g, and months, divide by: SD of pupils' scaled scores, unconditional" in note for note in table.notes)
    assert any("Given prior attainment: SD of pupil progress, conditional" in note for note in table.notes)


def test_claims_are_quoted_apart_from_what_is_looked_at(evaluation: AreasResults) -> None:
    page = report.claims(evaluation)._repr_html_()
    assert "<q>An extremely positive impact on outcomes and teaching</q>" in page
    assert "<q>Outcomes" not in page
    note = "On claim 1: The evaluation was not at hand."
    assert page.index(note) < page.index("<table")
    assert report.claims(evaluation).table.column("part") == ("Outcomes", "English GCSEs")


def test_the_flow_before_is_not_called_analysed_and_the_whole_flow_is(evaluation: AreasResults) -> None:
    before, whole = report.flow_before(evaluation.design), report.flow(evaluation)
    assert before.table.rows[3][:3] == ("Reading progress", "Eligible on the years before", 49)
    assert "eligible on the years before" in before.table.caption
    assert "eligible on the years before (2016 and 2017)" in before.table.notes[0]
    assert "Analysed" not in before._repr_html_()
    assert whole.table.rows[3][:3] == ("Reading progress", "Analysed", 49)


def test_matches_say_that_the_number_used_can_be_lower(evaluation: AreasResults) -> None:
    assert "drops out of the estimate" in report.matches(evaluation.design).table.notes[1]


@pytest.mark.parametrize("name", ["flow_before", "balance"])
def test_outcomes_are_panels_of_one_table_the_primary_one_first(evaluation: AreasResults, name: str) -> None:
    project = replace(evaluation.project, outcomes=evaluation.project.outcomes[::-1])
    balance = (replace(evaluation.design.balance[0], outcome="MATPROG"), *evaluation.design.balance)
    table = getattr(report, name)(replace(evaluation.design, project=project, balance=balance))
    page = table._repr_html_()
    heads = re.findall(
        r'<tr role="row" class="panel"><th scope="rowgroup" role="rowheader" colspan="\d+">(.*?)</th>', page
    )
    assert heads[0] == "Reading progress"
    assert "Maths progress" in heads
    assert len(heads) == len(set(heads)) == page.count("<tbody")
    assert page.count("<table") == 1
    assert "outcome" not in [column.key for column in table.table.shown_columns]
    assert table.to_csv().splitlines()[1].startswith("Reading progress,")
    assert "Maths progress," in table.to_csv()


def test_checks_have_names_for_readers(evaluation: AreasResults) -> None:
    assert report.findings(evaluation).table.column("check") == (
        "The outcome not targeted",
        "Movement before the programme",
        "Secondary schools",
    )
    assert {check.__name__ for check in CHECKS} <= set(FINDINGS)


def test_the_least_detectable_effect_says_its_power_and_its_averaging(evaluation: AreasResults) -> None:
    # (1/1 + 1/2) / 2 = 3/4 with years 2016 and 2017 against 2019; (1/2 + 1/2) / 2 = 1/2 with two years after.
    note = report.detectable_at_design(evaluation.design).table.notes[0]
    assert "2.8 times" in note
    assert "at the 5% level" in note
    assert "80% power" in note
    assert "× √(3/4) for averaging two years before" in note
    assert "√(3/4)" in report.detectable(evaluation).table.notes[0]
    assert averaging_note(Exposure(pre=(2016, 2017), post=(2018, 2019))) == (
        ", × √(1/2) for averaging two years before and two years after"
    )
    assert averaging_note(Exposure(pre=(2017,), post=(2019,))) == ""


def test_the_school_level_sd_is_named_with_its_value(evaluation: AreasResults) -> None:
    note = report.effect_sizes(evaluation).table.notes[-1]
    assert "in 2017, the last year before" in note
    assert "(Reading progress 2.70)" in note


def test_no_cost_no_ratio(unavailable: AreasResults, evaluation: AreasResults) -> None:
    assert "states no cost" in report.cost(unavailable)._repr_html_()
    assert "£25,659" in report.cost(evaluation)._repr_html_()
    assert "For a tenth of a standard deviation, by school" in report.cost(evaluation)._repr_html_()
    assert any("29 schools funded" in note and "49 primaries" in note for note in report.cost(evaluation).table.notes)


def test_text_is_escaped() -> None:
    columns = (report.Column("a", "A <b>"), report.Column("b", "B"))
    table = report.release(report.Table(caption="<i>", columns=columns, rows=(("<script>", "=1+1"),)), 6)
    assert "<script>" not in table._repr_html_()
    assert "'=1+1" in table.to_csv()


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EvalkitError, match="does not fit"):
        report.Table(caption="x", columns=(report.Column("a", "A"),), rows=(("1", "2"),))


def test_texts_for_figures_carry_the_numbers(evaluation: AreasResults) -> None:
    assert "2019: 0.94 (interval 0.02 to 1.86)" in report.event_study_plot(evaluation).alt
    assert "149 areas' changes" in report.permutation_plot(evaluation).alt
    assert "Knowsley stands at 0.94; 7 areas" in report.permutation_plot(evaluation).alt
    assert "Knowsley from −1.20 in 2016 to 0.10 in 2019" in report.trajectories_plot(evaluation).alt
    assert "Reading progress: 9 estimates from 0.12 to 1.02" in report.choices_plot(evaluation).alt
    # Without earlier outcomes the 2016 score is left (-1.21 + 0.368) / 2.7 = -0.31 apart.
    assert "−0.31, in Reading progress 2016" in report.love_plot(evaluation.design).alt


def test_figures_are_png_and_svg(evaluation: AreasResults) -> None:
    figure = report.permutation_plot(evaluation)
    assert figure.png.startswith(b"\x89PNG")
    assert b"<svg" in figure.svg[:600]


def test_every_public_name_has_a_docstring() -> None:
    assert [name for name in report.__all__ if not (getattr(report, name).__doc__ or "").strip()] == []


def test_an_outcome_in_another_unit_says_so(evaluation: AreasResults) -> None:
    notes = tuple(
        replace(note, unit="Progress 8 points") if note.measure == "WRITPROG" else note
        for note in evaluation.design.measures
    )
    mixed = replace(evaluation, design=replace(evaluation.design, measures=notes))
    assert report.outcomes(mixed).table.column("outcome")[:2] == (
        "Reading progress",
        "Writing progress (Progress 8 points)",
    )


def test_figures_without_estimates_draw_no_axes(unavailable: AreasResults) -> None:
    assert "No estimate can be given" in report.choices_plot(unavailable).alt
    assert "Six schools are too few" in report.event_study_plot(unavailable).alt
    assert b'id="matplotlib.axis_1"' not in report.choices_plot(unavailable).svg


def test_colours_of_text_stand_out_from_paper() -> None:
    """WCAG 2.1 contrast of every text colour of the style sheet on its ground is at least 4.5."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    css = packaged("report.css")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    pairs = [(colours[ink], colours[ground]) for ink in ("ink", "soft", "link") for ground in ("paper", "wash")]
    for ink, ground in [*pairs, ("#ffffff", "#5c1a00")]:
        low, high = sorted((luminance(ink), luminance(ground)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
