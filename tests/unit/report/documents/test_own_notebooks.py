"""A notebook of the evaluator's own: what the kit's nouns show passes the border, anything else only if it is asked."""

import base64
import io
from html import escape

import pytest
from document_fixture import figure, released, small_table
from PIL import Image
from report_fixture import make_evaluation, whole

from evalkit.core.errors import EvalkitError
from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import Figure, Heading, Prose, Text
from evalkit.report.documents.document import ExecutedNotebook, read_document
from evalkit.report.documents.html import report_html
from evalkit.report.documents.own_notebooks import UNCHECKED, own_chapter, own_notice, released_own
from evalkit.report.documents.pdf import pdf_report
from evalkit.report.documents.word import word_report


def png() -> str:
    made = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(made, "PNG")
    return base64.b64encode(made.getvalue()).decode()


BARE = (
    {"output_type": "stream", "name": "stdout", "text": "7 pupils\n  of 40\n"},
    {"output_type": "execute_result", "data": {"text/html": "<table><td>7</td></table>", "text/plain": "   n\n0  7"}},
    {"output_type": "display_data", "data": {"image/png": png(), "text/plain": "<Figure>"}},
)


def notebook(*outputs: dict) -> dict:
    shown = {"output_type": "execute_result", "data": released(small_table())._repr_mimebundle_()}
    return {
        "cells": [
            {"cell_type": "markdown", "source": "# My question\n\nA text.", "metadata": {}},
            {"cell_type": "code", "source": "x", "metadata": {}, "outputs": [shown, *outputs]},
        ]
    }


def chapter(made: dict, is_unchecked: bool):
    return own_chapter(released_own(made, is_unchecked), "Mine", own_notice(made, is_unchecked))


def test_what_the_kits_nouns_show_is_a_chapter_under_the_title_without_any_notice() -> None:
    table = released(small_table())
    assert chapter(notebook(), False) == (Heading(1, "Mine"), Heading(2, "My question"), Text("A text."), table)


def test_bare_outputs_are_left_out_and_counted_with_how_to_show_them() -> None:
    parts = chapter(notebook(*BARE), False)
    assert len(parts) == len(chapter(notebook(), False)) + 1
    assert isinstance(parts[1], Prose)
    assert parts[1].text.startswith("3 outputs of this notebook were left out")
    assert "`unchecked: true`" in parts[1].text
    kept = str(released_own(notebook(*BARE), False))
    assert "pupils" not in kept
    assert png() not in kept
    assert "<td>7</td>" not in kept


def test_unchecked_ones_are_shown_as_they_stand_and_the_chapter_says_so() -> None:
    said, *parts = chapter(notebook(*BARE), True)[1:]
    assert said == Prose((UNCHECKED,))
    texts = [part.markdown for part in parts if isinstance(part, Text)]
    assert texts[1:] == ["```\n7 pupils\n  of 40\n```", "```\n   n\n0  7\n```"]  # HTML is never shown as such
    (picture,) = [part for part in parts if isinstance(part, Figure)]
    assert 'width="40" height="20"' in picture.svg.decode()


def test_a_text_that_holds_a_fence_stays_one_block() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "```\n# no heading\n```"}
    texts = [part for part in chapter(notebook(output), True) if isinstance(part, Text)]
    assert texts[-1].markdown == "````\n```\n# no heading\n```\n````"


def test_an_output_that_only_says_it_is_the_kits_is_read_back_or_refused() -> None:
    bundle = figure()._repr_mimebundle_()
    forged = {"output_type": "execute_result", "data": {**bundle, "text/html": "<b>7 pupils</b>"}}
    assert "7 pupils" not in str(released_own(notebook(forged), False))
    broken = {"output_type": "execute_result", "data": {PART_MIME: {"part": "table", "table": {}}}}
    with pytest.raises(EvalkitError, match="cannot read"):
        released_own(notebook(broken), False)


def test_it_stands_after_the_notebook_it_names_or_at_the_end_in_every_document() -> None:
    evaluation = whole(make_evaluation())

    def cells(text, *tags):
        return {"cells": [{"cell_type": "markdown", "source": text, "metadata": {"tags": list(tags)}}]}

    kits = [
        ExecutedNotebook(name="1_design", content=cells("# Body?\n\nb", "body")),
        ExecutedNotebook(name="2_areas", content=cells("# Areas?\n\na")),
        ExecutedNotebook(name="4_reproducibility", content=cells("# Again?\n\nc")),
    ]
    made = {"content": released_own(notebook(*BARE), True), "notice": UNCHECKED}
    own = [
        ExecutedNotebook(name="x", title="In the body", after="1_design", **made),
        ExecutedNotebook(name="y", title="After areas", after="2_areas", content=notebook(BARE[0])),
        ExecutedNotebook(name="z", title="Last", content=cells("Words.")),
    ]
    document = read_document(evaluation, [*kits, *own])
    assert [section[0].text for section in document.sections] == ["Body?", "In the body"]
    assert [section[0].text for section in document.annexes] == [
        "Annex A. Areas?",
        "Annex B. After areas",
        "Annex C. Again?",
        "Annex D. Last",
    ]
    page = report_html(document)
    assert "7 pupils\n  of 40" in page
    assert escape(UNCHECKED) in page
    assert pdf_report(document)
    assert word_report(document)
