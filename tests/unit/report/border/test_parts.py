"""Parts come back from a notebook as they went in, and disclosure is controlled on the way back too."""

import json
import math

import pytest
from document_fixture import figure, long_table, released, small_table, wide_table

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import Prose, part_bundle, part_from_json
from evalkit.report.border.table import Column, Table


def through_json(part):
    """Return a part as it comes out of a notebook on disk."""
    return part_from_json(json.loads(json.dumps(part_bundle(part)[PART_MIME])))


@pytest.mark.parametrize("table", [small_table(), long_table(), wide_table()], ids=["small", "long", "wide"])
def test_a_table_comes_back_whole(table):
    again = through_json(released(table))
    assert again == released(table)
    assert [type(cell) for row in again.table.rows for cell in row] == [type(c) for row in table.rows for c in row]


def test_every_kind_of_cell_comes_back():
    cells = ("text", 3, 3.0, 0.1 + 0.2, math.inf, Interval(-1.0, 2.5, 0.9), Unavailable("No number."))
    columns = tuple(Column(f"c{i}", "Header", is_total=i == 3, derived_from="") for i in range(len(cells)))
    table = Table(caption="Cells", columns=columns, rows=(cells,), panel_by="c0", has_total_row=True)
    again = through_json(released(table))
    assert again.table == table
    assert repr(again.table.rows) == repr(table.rows)


@pytest.mark.parametrize("kind", ["paragraph", "list", "headline", "banner", "face"])
def test_sentences_come_back(kind):
    prose = Prose(("One – “two”.", "Three <b>."), kind)
    assert through_json(prose) == prose


def test_a_figure_comes_back_with_its_bytes():
    again = through_json(figure())
    assert (again.png, again.svg, again.alt, again.caption) == (
        figure().png,
        figure().svg,
        figure().alt,
        figure().caption,
    )
    assert again.data == figure().data


def test_a_record_with_a_small_count_is_refused():
    columns = (Column("school", "School"), Column("pupils", "Pupils", "pupil_count"))
    record = released(Table(caption="Counts", columns=columns, rows=(("A", 30),))).record()
    record["table"]["rows"][0][1] = 3
    with pytest.raises(EvalkitError, match="fewer than 6 pupils"):
        part_from_json(record)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"part": "film"},
        {"part": "table"},
        {"part": "table", "threshold": 6, "table": {"columns": [{"key": 1, "odd": 2}], "rows": []}},
        {"part": "figure", "png": "é"},
        {"part": ["table"]},
    ],
)
def test_what_is_no_part_is_refused_in_a_sentence(record):
    with pytest.raises(EvalkitError, match=r"cannot read\. Run the project again"):
        part_from_json(record)


def test_a_notebook_is_given_html_text_and_record():
    for part in (Prose(("A.",)), released(small_table()), figure()):
        given = part._repr_mimebundle_(include=None, exclude=None)
        assert set(given) == {"text/html", "text/plain", PART_MIME}
        assert part._repr_html_() in given["text/html"]
        assert given["text/plain"] == repr(part)
