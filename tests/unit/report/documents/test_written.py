"""Markdown as blocks of runs: what is bold stays bold, and nothing is run as HTML."""

from hypothesis import given
from hypothesis import strategies as st

from evalkit.report.documents.written import Run, WrittenBlock, plain_words, written_blocks


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
