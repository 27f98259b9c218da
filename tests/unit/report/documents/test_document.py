"""Executed notebooks become one document: headings, text and parts in order, and nothing that was not released."""

import pytest
from document_fixture import figure, released, small_table
from hypothesis import given
from hypothesis import strategies as st
from report_fixture import whole

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.border.parts import Heading, Prose, Text
from evalkit.report.documents.document import ExecutedNotebook, read_document
from evalkit.report.documents.markdown import Run, WrittenBlock, plain_words, written_blocks


def markdown(source, *tags):
    return {"cell_type": "markdown", "source": source, "metadata": {"tags": list(tags)}}


def code(*data):
    return {"cell_type": "code", "source": "report.x()", "outputs": [{"data": one} for one in data]}


def section(evaluation, *cells):
    """Return the one chapter that cells make, without the letter of an annex."""
    found = next(iter(read_document(whole(evaluation), [notebook(*cells)]).annexes), ())
    return tuple(
        Heading(part.level, part.text.removeprefix("Annex A. ")) if isinstance(part, Heading) else part
        for part in found
    )


def notebook(*cells, name="3_review", **more):
    return ExecutedNotebook(name=name, content={"cells": list(cells)}, **more)


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
    document = read_document(whole(evaluation), [])
    assert document.title == evaluation.project.title
    assert document.banner.startswith("SYNTHETIC DATA")
    assert document.face
    assert not set(document.face) & {document.banner}
    assert document.parts == ()


def test_a_plain_object_is_refused_as_html_is_and_the_cell_is_named(evaluation: AreasResults) -> None:
    with pytest.raises(EvalkitError, match=r"The cell `report\.x\(\)` of a notebook shows something that has not been"):
        section(evaluation, markdown("## What of it?"), code({"text/plain": "3"}))
    for html in ("<b>3</b>", ["<b>", "3</b>"], '<div class="evalkit evalkit-table">3</div>'):
        with pytest.raises(EvalkitError, match="has not been released"):
            section(evaluation, code({"text/html": html, "text/plain": "3"}))


def test_no_heading_skips_a_level(evaluation: AreasResults) -> None:
    notebooks = [notebook(markdown("### A?\n\n###### B?\nb")), notebook(markdown("#### C?\n\nc\n\n# D?\n\nd"))]
    levels = [part.level for part in read_document(whole(evaluation), notebooks).parts if isinstance(part, Heading)]
    assert levels == [1, 2, 1, 1]  # every annex begins with a heading of the first level


def test_stored_sources_in_lines_are_joined(evaluation: AreasResults) -> None:
    assert section(evaluation, markdown(["# A?\n", "\n", "b"])) == (Heading(1, "A?"), Text("b"))


# Chapters: the body, annexes with letters, and what stands once.


def test_chapters_with_the_tag_are_the_body_and_all_others_annexes_with_letters(evaluation: AreasResults) -> None:
    first = notebook(markdown("# A?", "body"), markdown("a"), markdown("# B?"), markdown("b"), name="1_design")
    second = notebook(markdown("# C?", "body"), markdown("c"), name="3_review")
    document = read_document(whole(evaluation), [first, second])
    assert [section[0] for section in document.sections] == [Heading(1, "A?"), Heading(1, "C?")]
    assert [section[0] for section in document.annexes] == [Heading(1, "Annex A. B?")]
    assert [part.markdown for part in document.parts if isinstance(part, Text)] == ["a", "c", "b"]


def test_a_table_stands_once_and_so_does_no_heading_with_nothing_below(evaluation: AreasResults) -> None:
    shown = released(small_table())._repr_mimebundle_()
    body = notebook(markdown("# A?", "body"), code(shown), name="1_design")
    annex = notebook(markdown("# B?\n\n## Again?"), code(shown), markdown("## More?\n\nYes."), name="2_areas")
    document = read_document(whole(evaluation), [body, annex])
    assert document.sections == ((Heading(1, "A?"), released(small_table())),)
    assert document.annexes == ((Heading(1, "Annex A. B?"), Heading(2, "More?"), Text("Yes.")),)


def test_the_chapter_of_an_analysis_among_several_bears_its_name(evaluation: AreasResults) -> None:
    document = read_document(whole(evaluation), [notebook(markdown("# What changed?"), of_analysis="waves")])
    assert document.annexes[0][0] == Heading(1, "Annex A. waves: What changed?")


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
