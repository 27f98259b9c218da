"""A survey from its table to the report: numbers by plain pandas, small counts withheld, clear refusals."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.data.synthetic.survey import AUDIT, POINTS, REVERSED, columns_of, write_audit
from evalkit.design.kinds.survey import SurveyOptions, survey_faults
from evalkit.report.border.disclosure import is_suppressed, release
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.likert import shares_of
from evalkit.run.console import Progress
from evalkit.run.kinds.registry import KINDS
from evalkit.run.notebooks.session import no_files_folder
from evalkit.run.project.project_file import load_project
from evalkit.run.project.runner import Request, run_project

URNS = np.arange(700_001, 700_015)
PROJECT = """\
schema_version: 2
slug: audit
title: The audit tool
question: What did staff say of their schools in two waves?
programme:
  name: The Zone
  place: A borough
  funder: a fund
  aim: to change how pupils learn
  start: 2023-09-01
  end: 2025-07-31
data:
  kind: synthetic
  tables:
    answers: {file: audit_answers.csv, unit: urn, person: respondent, period: wave}
    ratings: {file: audit_ratings.csv, unit: urn, person: rating, period: wave}
disclosure: {threshold: 10}
analyses:
"""


def analysis(**changes):
    scales = [
        {
            "name": name,
            "label": label,
            "items": [
                {"column": column, "text": text, "reversed": (name, at) in REVERSED}
                for at, (column, text) in enumerate(zip(columns_of(name), texts, strict=True))
            ],
        }
        for name, (label, *texts) in list(AUDIT.items())[:2]
    ]
    made = {
        "name": "audit",
        "kind": "survey",
        "primary": True,
        "answers": "answers",
        "ratings": "ratings",
        "known": ["answers.years_in_post"],
        "waves": {"2023": "Summer 2023", "2025": "Summer 2025"},
        "points": POINTS,
        "of_schools": 16,
        "draws": 99,
        "scales": scales,
    }
    return made | changes


def made(folder, edit=lambda frame: frame, **changes):
    write_audit(folder, URNS, (2023, 2025), seed=5)
    edit(pd.read_csv(folder / "audit_answers.csv", dtype=object)).to_csv(folder / "audit_answers.csv", index=False)
    (folder / "project.yml").write_text(PROJECT + f"  - {json.dumps(analysis(**changes))}\n", encoding="utf-8")
    return folder / "project.yml"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    return run_project(Request(made(folder), no_files_folder(), folder / "out"), Progress())


def test_the_change_is_that_of_plain_pandas_and_there_is_no_effect(out):
    entry = json.loads((out / "results.json").read_text(encoding="utf-8"))["analyses"][0]
    assert entry["effects"] == [] and entry["describes"] is True  # noqa: PT018
    rows = pd.read_csv(out.parent.parent / "audit_answers.csv")
    for name in ("professional", "planning"):
        items = rows[list(columns_of(name))].copy()
        for area, at in REVERSED:
            if area == name:
                items.iloc[:, at] = 6 - items.iloc[:, at]
        score = items.mean(axis=1).where(items.notna().sum(axis=1) >= 2)
        means = score.groupby([rows["urn"], rows["wave"]]).mean().unstack()
        d = means[2025] - means[2023]
        left = score - score.groupby([rows["urn"], rows["wave"]]).transform("mean")
        n = score.groupby([rows["urn"], rows["wave"]]).count().unstack()
        within = (left**2).groupby(rows["wave"]).sum() / (n.sum() - 14)
        v = sum(within[wave] / n[wave] for wave in (2023, 2025))
        found = entry["survey"][name]["changes"]["surveyed"]
        assert found["estimate"] == pytest.approx(d.mean(), abs=1e-12)
        # 14 of 16 schools: what is left of schools, and what respondents add
        assert found["std_error"] ** 2 == pytest.approx(2 / 16 * d.var() / 14 + 14 / 16 * v.sum() / 14**2, abs=1e-12)


def test_the_page_says_change_and_that_it_is_made_up(out):
    page = (out / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", page)
    assert "From Summer 2023 to Summer 2025 the mean score of schools surveyed changed by" in text
    assert "nothing of why" in text
    assert "made-up" in text.lower() or "synthetic" in text.lower()
    assert 'alt="Bars of answers parted at the middle of the scale.' in page


def test_no_table_that_leaves_shows_a_count_of_few(out):
    for name in ("answers_planning", "means", "schools", "response", "item_statistics", "change"):
        frame = pd.read_csv(out / "tables" / f"{name}.csv")
        counts = [c for c in frame.columns if c.startswith(("point_", "n_", "lowest", "highest")) or c == "n"]
        for column in [one for one in counts if one != "n_schools"]:
            told = pd.to_numeric(frame[column], errors="coerce").dropna()
            assert (told >= 10).all(), (name, column)


def test_counts_of_people_that_are_no_pupils_are_called_so():
    table = Table(caption="A", columns=(Column("n", "N", "pupil_count"),), rows=((4,), (40,)), people="people")
    cell = release(table, 10).table.rows[0][0]
    assert isinstance(cell, Unavailable)
    assert is_suppressed(cell)
    assert "fewer than 10 people" in cell.reason


def test_a_row_with_a_withheld_count_has_no_bar():
    columns = (
        Column("item", "Item"), Column("wave", "Wave"), Column("n", "N", "pupil_count", is_total=True),
        Column("point_0", "No", "pupil_count"), Column("point_1", "Yes", "pupil_count"),
    )  # fmt: skip
    rows = (("a", "1", 60, 20, 40), ("b", "1", 60, 3, 57))
    found = shares_of(release(Table(caption="A", columns=columns, rows=rows), 10))
    assert found[0][2] == pytest.approx([100 / 3, 200 / 3])
    assert found[1][2] is None


def with_cell(column, value, row=0):
    def edited(frame):
        frame.loc[frame.index[row], column] = value
        return frame

    return edited


@pytest.mark.parametrize(
    ("edit", "changes", "says"),
    [
        (with_cell("planning_2", "7"), {}, "item 'planning_2' holds 7"),
        (lambda f: pd.concat([f, f.iloc[[0]]]), {}, "a person ('respondent') has a second row in 2023"),
        (lambda f: f.drop(columns="planning_2"), {}, "has no column 'planning_2'"),
        (lambda f: f, {"of_schools": 9}, "14 schools answered, and `of_schools` says that there are 9"),
        (lambda f: f, {"waves": {"2023": "a"}}, "of 2025, which is none of the waves 2023"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path, edit, changes, says):
    file = made(tmp_path, edit, **changes)
    with pytest.raises(EvalkitError) as told:
        run_project(Request(file, no_files_folder(), tmp_path / "out"), Progress())
    assert says in str(told.value)
    assert not (tmp_path / "out" / "audit").exists()


def test_every_fault_of_the_project_file_is_told_at_once(tmp_path):
    project = load_project(made(tmp_path))
    keys = [key for key, _ in survey_faults(project, SurveyOptions(answers="x", of_schools=0, draws=5, linked=True))]
    assert {"answers", "waves", "scales", "of_schools", "draws"} <= set(keys)


def test_it_is_a_kind_of_the_kit():
    assert "survey" in KINDS
