"""What `evalkit match --out FILE` writes: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evalkit.core.disclosure import CONTAINS_PEOPLE
from evalkit.design.matching.matched import MatchedDesign
from evalkit.run.processes.locks import write_whole
from evalkit.run.tables.frame_csv import frame_csv
from evalkit.run.tables.match_answer import MatchAnswer
from evalkit.run.tables.match_json import match_json


def write_match(answer: MatchAnswer, path: Path) -> None:
    """Write the result to a file of the kind that its name says."""
    write_whole(path, _content(answer, path.suffix.lower()))


def _content(answer: MatchAnswer, kind: str) -> bytes:
    if kind == ".csv":
        return frame_csv(unit_table(answer.design, answer.request.are_people)).encode()
    if kind == ".json":
        return (match_json(answer) + "\n").encode()
    from evalkit.report.documents.html import report_html
    from evalkit.report.documents.word import word_report
    from evalkit.run.tables.match_page import match_document

    document = match_document(answer)
    return report_html(document).encode() if kind == ".html" else word_report(document)


def unit_table(design: MatchedDesign, are_people: bool = False) -> pd.DataFrame:
    """Return each unit with its arm, weight, matched set (empty where it is in none) and score.

    Where units are people the last column says in every row that the table lists them.
    """
    columns: dict[str, object] = {
        "treated": design.baseline.is_treated.astype(int),
        "weight": design.weights,
        "set": pd.array([pd.NA] * len(design.weights), dtype="Int64"),
    }
    if design.strata is not None:
        strata = pd.Series(design.strata + 1, dtype="Int64")
        columns["set"] = strata.mask((design.strata < 0) | ~design.is_used).array
    if design.score is not None:
        columns["score"] = design.score
    if are_people:
        columns["contains_people"] = CONTAINS_PEOPLE
    return pd.DataFrame(columns, index=design.baseline.units.index.rename("id"))
