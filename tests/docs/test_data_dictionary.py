"""The data dictionary is made from the layouts, and says of each whether a real file was ever read."""

import re
import runpy
from pathlib import Path

import evalkit
from evalkit.data.layouts.registry import layouts

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "make_data_dictionary.py"))
PAGE = (ROOT / "docs" / "reference" / "data-dictionary.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_tool_writes():
    assert TOOL["page"]() == PAGE, "run python tools/make_data_dictionary.py"


def test_every_layout_stands_there_with_what_it_was_tried_on():
    for layout in layouts():
        assert layout.title in PAGE
        if not layout.unused_reason and not layout.seen:
            row = next(line for line in PAGE.splitlines() if line.startswith(f"| [{layout.title}]"))
            assert row.endswith("| never read a real file |")


def test_every_link_leads_to_a_heading():
    headings = {
        re.sub(r"[(),.:']", "", line[3:].lower()).replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("## ")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def test_every_function_that_reads_a_layout_is_public():
    assert {layout.reader for layout in layouts() if layout.reader} <= set(evalkit.__all__)


def test_names_of_layouts_and_of_fields_are_told_apart():
    names = [layout.name for layout in layouts()]
    assert len(names) == len(set(names))
    for layout in layouts():
        columns = [name.casefold() for field in layout.fields for name in (field.name, *field.also)]
        assert len(columns) == len(set(columns)), layout.name
        assert layout.reader or layout.unused_reason
