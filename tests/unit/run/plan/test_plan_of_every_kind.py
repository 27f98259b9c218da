"""A plan of each kind: blind to what came after, and its tables those of the report with their results left blank."""

import re

import pytest

from evalkit.data.published.sources import find_sources
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Heading, Prose
from evalkit.report.documents.html import report_html
from evalkit.report.documents.released import tables_of
from evalkit.report.plan.document import plan_document
from evalkit.report.plan.registry_entry import TO_FILL, registry_entry
from evalkit.report.plan.shells import BLANK, shell_of, shells
from evalkit.report.tables.analyses import estimands
from evalkit.report.words.answers import plans_in_full
from evalkit.run.notebooks.session import no_files_folder, open_evaluation
from evalkit.run.plan.writing import plan_contents
from tests.plan_projects import KINDS, project

SLOW = ("matched", "staggered")  # they match or draw sets many times: a run of the whole suite has one of each
CHAPTERS = [
    "Why is this evaluated?",
    "What is the design?",
    "What exactly is estimated?",
    "Who is in the sample, and who is lost on the way?",
    "Which outcomes are measured?",
    "How will the effect be estimated, and how sure will it be?",
    "What if results are missing?",
    "Which subgroups, and how many tests?",
    "What will be checked, and by which thresholds?",
    "How small a difference could be detected?",
    "What would count as which conclusion?",
    "Annex A. The tables of results, as they will be filled",
    "Annex B. Dates, authors, choices, files and versions",
]


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Return the file of a project of a kind, what its plan is written from, and the plan; each made once."""
    made = {}

    def of(kind, seed=None):
        if (kind, seed) not in made:
            path = project(tmp_path_factory.mktemp(kind) / kind, kind, seed=seed)
            contents = plan_contents(path, find_sources(no_files_folder()))
            made[kind, seed] = path, contents, plan_document(contents)
        return made[kind, seed]

    return of


def everything(document, contents):
    return report_html(document), registry_entry(contents), [str(part) for part in document.parts]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SLOW])
def test_outcomes_dealt_anew_change_no_byte_of_the_plan(planned, kind):
    (_, contents, document), (_, others, other) = planned(kind), planned(kind, 3)
    assert everything(document, contents) == everything(other, others)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SLOW)
def test_outcomes_dealt_anew_change_no_byte_of_a_plan_with_many_draws(planned, kind):
    test_outcomes_dealt_anew_change_no_byte_of_the_plan(planned, kind)


def assert_shells_are_the_tables(planned, kind):
    path, contents, _ = planned(kind)
    laid_out = shells(contents.tables, ())
    filled = tables_of(open_evaluation(str(path)))
    assert laid_out, contents.laid_out
    assert laid_out == {name: shell_of(filled[name]) for name in laid_out}
    for name, table in laid_out.items():
        columns = {column.key: at for at, column in enumerate(filled[name].table.columns)}
        assert [column.header for column in table.table.columns] == [c.header for c in filled[name].table.columns]
        for key in ("estimate", "interval", "p_value"):
            if key in columns:
                assert {row[columns[key]] for row in table.table.rows} == {BLANK}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SLOW])
def test_shells_have_the_rows_and_columns_of_the_tables_that_a_run_fills(planned, kind):
    assert_shells_are_the_tables(planned, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SLOW)
def test_shells_of_kinds_with_many_draws_are_their_tables_too(planned, kind):
    assert_shells_are_the_tables(planned, kind)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SLOW])
def test_it_says_what_the_report_says_in_the_order_that_the_eef_asks(planned, kind):
    _, contents, document = planned(kind)
    parts = document.parts
    assert [part.text for part in parts if isinstance(part, Heading) and part.level == 1] == CHAPTERS
    assert estimands(contents.design) in parts
    for part in plans_in_full(contents.design).parts:
        assert isinstance(part, Heading) or part in parts
    equations = [part.text for part in parts if isinstance(part, Prose) and re.search("^[TGyΔA].* = ", part.text)]
    assert len(equations) == 1


def test_no_number_of_the_made_up_results_is_in_the_plan(planned):
    _, contents, document = planned("series")
    shown = report_html(document)
    told = [effect.estimate for effect in contents.laid_out.primary.effects if isinstance(effect.estimate, float)]
    assert told
    for estimate in told:
        assert f"{abs(estimate):.3f}" not in shown


def test_checks_are_planned_with_what_decides_them(planned):
    _, contents, document = planned("series")
    checks = next(
        part for part in document.parts if isinstance(part, ReleasedTable) and part.table.caption == "Checks to be made"
    )
    assert len(checks.table.rows) == len({f.name for f in contents.laid_out.primary.findings})
    assert all(len(str(row[3])) > 20 for row in checks.table.rows)


def test_the_draft_for_the_registry_marks_what_the_plan_does_not_know(planned):
    _, contents, _ = planned("series")
    entry = registry_entry(contents)
    assert "## Question\n\nDid scores rise" in entry
    assert "SYNTHETIC DATA" in entry
    assert f"## First data collection\n\n{TO_FILL}" in entry
