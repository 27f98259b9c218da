"""Executed notebooks become one document: headings, text and parts in order, and nothing that was not released."""

import pytest
from document_fixture import figure, released, small_table
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.border.parts import Heading, Prose, Text
from evalkit.report.documents.document import Run, WrittenBlock, plain_words, read_document, written_blocks


def markdown(source):
    return {"cell_type": "markdown", "source": source}


def code(*data):
    return {"cell_type": "code", "source": "report.x()", "outputs": [{"data": one} for one in data]}


def section(evaluation, *cells):
    (found,) = read_document(evaluation, [{"cells": list(cells)}]).sections
    return found


def test_headings_and_text_are_told_apart(evaluation: AreasResults) -> None:
    found = section(evaluation, markdown("# What *is* `it`?\n\nOne.\nTwo.\n\n## And then? ##\nThree.\n"))
    assert found == (
        Heading(1, "What is it?"),
        Text("One.\nTwo."),
        Heading(2, "And then?"),
        Text("Three."),
    )


def test_a_line_of_code_is_no_heading(evaluation: AreasResults) -> None:
    source = "```\n# not a heading\n```\n#nor this"
    assert section(evaluation, markdown(source)) == (Text(source),)


def test_parts_come_in_order_and_what_stands_at_the_top_is_left_out(evaluation: AreasResults) -> None:
    top = [Prose(("A.",), kind)._repr_mimebundle_() for kind in ("banner", "face")]
    shown = [Prose(("B.",)), released(small_table())]
    found = section(evaluation, code(*top), code(*(part._repr_mimebundle_() for part in shown)), code())
    assert found == tuple(shown)
    with_figure = section(evaluation, code(figure()._repr_mimebundle_()))
    assert with_figure[0].svg == figure().svg


def test_the_top_says_what_the_evaluation_says(evaluation: AreasResults) -> None:
    document = read_document(evaluation, [])
    assert document.title == evaluation.project.title
    assert document.banner.startswith("SYNTHETIC DATA")
    assert document.face
    assert not set(document.face) & {document.banner}
    assert document.parts == ()


def test_text_without_markup_is_left_out_and_html_is_refused(evaluation: AreasResults) -> None:
    assert section(evaluation, code({"text/plain": "3"})) == ()
    for html in ("<b>3</b>", ["<b>", "3</b>"], '<div class="evalkit evalkit-table">3</div>'):
        with pytest.raises(EvalkitError, match="has not been released"):
            section(evaluation, code({"text/html": html, "text/plain": "3"}))


def test_no_heading_skips_a_level(evaluation: AreasResults) -> None:
    notebooks = [{"cells": [markdown("### A?\n\n###### B?")]}, {"cells": [markdown("#### C?\n\n# D?")]}]
    levels = [part.level for part in read_document(evaluation, notebooks).parts]
    assert levels == [1, 2, 3, 1]


def test_stored_sources_in_lines_are_joined(evaluation: AreasResults) -> None:
    assert section(evaluation, markdown(["# A?\n", "\n", "b"])) == (Heading(1, "A?"), Text("b"))


# Markdown as blocks of runs: what is bold stays bold, and nothing is run as HTML.


def test_marks_become_looks():
    (block,) = written_blocks("One *two* **three** `four` [five](https://a.uk/b) [**six**](https://a.uk)")
    assert [run for run in block.runs if run.text.strip()] == [
        Run("One "),
        Run("two", is_italic=True),
        Run("three", is_bold=True),
        Run("four", is_code=True),
        Run("five", address="https://a.uk/b"),
        Run("six", is_bold=True, address="https://a.uk"),
    ]
    assert block.text == "One two three four five six"


def test_lists_quotes_and_code_are_blocks():
    found = written_blocks("a\nb\n\n- c\n- d\n  - e\n\n1. f\n\n> g\n\n```\nh\ni\n```\n\n<b>j</b>")
    assert [(block.kind, block.text) for block in found] == [
        ("paragraph", "a b"),
        ("bullet", "c"),
        ("bullet", "d"),
        ("bullet", "e"),
        ("number", "f"),
        ("quote", "g"),
        ("code", "h\ni"),
        ("paragraph", "<b>j</b>"),
    ]


def test_a_heading_inside_text_is_a_bold_paragraph():
    assert written_blocks("Why\n===") == (WrittenBlock("paragraph", (Run("Why", is_bold=True),)),)


def test_words_of_a_heading_lose_their_marks():
    assert plain_words("Is `p` *really* small?") == "Is p really small?"
    assert plain_words("***") == "***"


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    assert all(block.text.strip() for block in written_blocks(text))
