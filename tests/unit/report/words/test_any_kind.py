"""A report needs nothing of a kind but its effects and its findings: sentences, tables and the figure come of these."""

import io
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader
from report_fixture import make_evaluation, make_project, whole
from report_running import run_on

from evalkit import report
from evalkit.core.project import Analysis, Draw, Outcome, OwnTable, Participants, ProjectTables
from evalkit.core.project_parts import Author
from evalkit.core.quantities import Estimand, Interval, Unavailable
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
from evalkit.diagnose.finding import Finding, Verdict
from evalkit.estimate.effect import Effect
from evalkit.report import released_files
from evalkit.report.words.front import banner, byline
from evalkit.report.words.names import forbidden_words, measure_label, measure_unit, units_of

WIDE = Interval(-0.1, 1.1)
TOY = Analysis(name="toy", kind="toy", primary=True)
BESIDE = Analysis(name="beside", kind="toy")


def effect(outcome="READPROG", estimate=0.5, interval=WIDE, p=0.1, **more) -> Effect:
    given = {
        "outcome": outcome,
        "role": "primary",
        "design": "toy",
        "estimand": Estimand.ATT,
        "period": "post",
        "estimate": estimate,
        "std_error": 0.3,
        "interval": interval,
        "p_value": p,
        "p_value_one_sided": 0.05,
        "inference": "cluster",
        "cluster_level": "local_authority",
        "n_treated": 26,
        "n_comparison": 300,
        "n_treated_clusters": 4,
        "method": "a toy",
        "is_main": True,
    }
    return Effect(**(given | more))


def results(analysis: Analysis, *effects: Effect, project=None, label="toy comparison") -> AnalysisResults:
    project = project or toy_project()
    plan = AnalysisPlan(analysis=analysis, project=project, label=label, details=None, record={})
    return AnalysisResults(
        plan=plan,
        estimand="the average effect on the schools listed",
        recommended="CR2 by area",
        reason="the schools lie in many areas",
        effects=effects,
        findings=(
            Finding("toy_check", Verdict.SERIOUS, 1.0, "The toy is broken."),
            Finding("other_check", Verdict.REASSURING, 0.0, "The other wheel holds."),
        ),
        details=None,
    )


def toy_project(*analyses: Analysis, **more):
    listed = Participants(file="participants.csv")
    given = {"analyses": analyses or (TOY,), "participants": listed, "contrasts": (), "cost": None}
    return replace(make_project(), **(given | more))


def evaluation(*several: AnalysisResults, data_kind="real") -> Evaluation:
    project = replace(several[0].project, analyses=tuple(one.analysis for one in several))
    design = ProjectDesign(project=project, data_kind=data_kind, plans=tuple(one.plan for one in several))
    return Evaluation(project=project, design=design, analyses=several)


@pytest.fixture
def toy() -> Evaluation:
    """Return an evaluation of two analyses of a kind that shows nothing of its own."""
    beside = results(BESIDE, effect(estimate=0.9, interval=Interval(0.2, 1.6), p=0.01), label="other comparison")
    return evaluation(results(TOY, effect(), effect("MATPROG", 0.1, role="placebo")), beside)


def test_the_whole_report_is_made_of_effects_and_findings_alone(toy: Evaluation) -> None:
    files = released_files(toy, run_on(toy, {}))
    page = files["report.html"].decode()
    assert forbidden_words(page) == []
    for words in (
        "toy comparison",
        "The toy is broken.",
        "The other wheel holds.",
        "CR2 by area",
        "No authors are named.",
    ):
        assert words in page, words
    assert {"tables/answers.csv", "tables/estimands.csv", "tables/inferences.csv", "figures/analyses.svg"} <= set(files)
    assert len(PdfReader(io.BytesIO(files["summary.pdf"])).pages) == 1
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page)[:3] == [
        "What do the data show?",
        "What was asked, and of whom?",
        "How large was the difference, and what could be wrong?",
    ]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (effect(), "do not show whether reading progress was higher in the 26 schools of the programme than it would "),
        (effect(interval=Interval(0.1, 0.9)), "Reading progress in the 26 schools of the programme was 0.50 progress "),
        (effect(estimate=-0.5, interval=Interval(-0.9, -0.1)), "was 0.50 progress points lower than the comparison"),
        (
            effect(interval=Unavailable("Too few areas."), p=Unavailable("Too few areas.")),
            "how far chance could have moved it is not known (too few areas)",
        ),
        (
            effect(interval=Unavailable("Too few areas."), p=0.001),
            "fewer than 1 in 100 such results would lie as far from none (p = 0.001); which other effects fit the data "
            "is not known (too few areas)",
        ),
        (effect(interval=Unavailable("Too few areas."), p=0.125), "about 13 in 100 such results"),
        (effect(estimate=Unavailable("Too few schools.")), "do not show how reading progress changed"),
    ],
)
def test_the_answer_is_no_stronger_than_its_interval(found: Effect, words: str) -> None:
    said = report.summary(evaluation(results(TOY, found))).parts[0].text
    assert words in said
    assert forbidden_words(said) == []
    assert ("fits the data" in said) == isinstance(found.interval, Interval) * isinstance(found.estimate, float)


def test_the_primary_analysis_stands_first_and_the_others_beside_it(toy: Evaluation) -> None:
    turned = replace(toy, analyses=toy.analyses[::-1])
    for one in (toy, turned):
        table = report.answers(one).table
        assert table.column("analysis") == ("toy", "beside", "toy")
        assert table.column("estimate") == (0.5, 0.9, 0.1)
        names = [name for name, _ in table.panels()]
        assert names == [
            "Reading progress (progress points): primary",
            "Maths progress (progress points): placebo (not targeted)",
        ]
    assert "The other analysis gives 0.90, 0.20 to 1.60 (“beside”)." in report.certainty(toy).text


def test_the_figure_leaves_out_what_could_not_be_estimated_and_says_the_rest_in_words(toy: Evaluation) -> None:
    figure = report.analyses_plot(toy)
    assert "Reading progress by “beside” 0.90 (0.20 to 1.60)" in figure.alt
    none = evaluation(results(TOY, effect(estimate=Unavailable("None."))))
    assert "nothing could be estimated" in report.analyses_plot(none).alt


def test_every_check_stands_once_the_grave_ones_in_the_body(toy: Evaluation) -> None:
    grave, other = report.grave_findings(toy).table, report.other_findings(toy).table
    assert grave.column("check") == ("Toy check", "Toy check")
    assert other.column("check") == ("Other check", "Other check")
    assert [name for name, _ in grave.panels()] == ["toy", "beside"]


def test_what_all_analyses_share_is_said_once_and_what_differs_by_name(toy: Evaluation) -> None:
    rows = [row[0] for row in report.estimands(toy.design).table.rows]
    assert rows == [
        "Population",
        "Treatment",
        "Comparator, “toy”",
        "Comparator, “beside”",
        "Outcome",
        "Summary",
        "Leavers and converters",
    ]


def test_authors_are_named_with_organisation_and_contact() -> None:
    one = Author(name="A. Reader", organisation="A university", contact="a@example.org")
    project = toy_project(authors=(one, Author(name="B")), date="30 November 2026", commissioner="the council")
    assert byline(project) == (
        "By A. Reader (A university), a@example.org; B",
        "30 November 2026",
        "Commissioned by the council",
    )
    assert byline(toy_project()) == ("No authors are named.",)


def test_a_made_up_list_is_said_on_every_page() -> None:
    project = toy_project(participants=Participants(draw=Draw(n=26, of="Knowsley")))
    found = evaluation(results(TOY, effect(), project=project))
    assert banner(found).startswith("MADE-UP LIST OF SCHOOLS. The 26 schools treated here were drawn at random among")
    files = released_files(found, run_on(found, {}))
    pages = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(files["report.pdf"])).pages]
    assert all("MADE-UP LIST OF SCHOOLS" in text for text in pages)
    assert banner(evaluation(results(TOY, effect()))) == ""


def test_words_of_own_outcomes_come_from_the_project_file() -> None:
    own = Outcome(table="scores", column="score", label="Reading age", unit="months", role="primary")
    tables = ProjectTables(tables={"scores": OwnTable(file="scores.csv", unit="pupil", area="borough")})
    project = toy_project(outcomes=(own,), data=tables)
    assert measure_label(project, "scores.score") == "Reading age"
    assert measure_unit(project, "scores.score") == "months"
    assert units_of(project) == "units"
    assert units_of(toy_project()) == "schools"
    assert measure_label(toy_project(), "READPROG-MATPROG") == "Reading progress minus maths progress"


def test_the_body_of_areas_is_at_most_a_dozen_pages_and_annexes_hold_the_rest(made) -> None:
    pages = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(made["whole"]["report.pdf"])).pages]
    first = next(at for at, text in enumerate(pages[1:], start=1) if "Annex A." in text)
    assert first <= 12
    assert len(pages) > first + 3
    page = made["whole"]["report.html"].decode()
    captions = re.findall(r"<caption><span><span[^>]*>Table \d+\.</span> (.*?)</span></caption>", page)
    assert len(captions) == len(set(captions))


def test_a_kind_says_its_own_words_in_the_summary() -> None:
    areas = make_evaluation()
    assert report.summary(whole(areas)).parts[0] == report.summary_answer(areas)
    assert report.comparison(whole(areas)).text == report.summary_comparison(areas).text
