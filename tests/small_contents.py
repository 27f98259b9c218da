"""A report of two tables and a figure, before it is drawn, for tests of what leaves."""

import struct
import zlib
from dataclasses import replace

from evalkit.core.sentence import Sentence, count
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Document, Figure, Heading, Prose, Text, picture_in_svg
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.contents import Contents
from tests.released_tables import people


def png(**texts):
    """Return a picture of one grey dot that says `texts` of itself."""

    def chunk(kind, inside):
        return struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))

    said = b"".join(chunk(b"tEXt", f"{key}\0{text}".encode("latin-1")) for key, text in texts.items())
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + said + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")


def figure(name, data, picture=b""):
    """Return a figure with its files named, over some numbers."""
    dots = picture or png()
    return Figure(name=name, png=dots, svg=picture_in_svg(dots), alt="A dot.", caption=f"Figure {name}", data=data)


def contents(reading=1618, *, maths=1500, picture=b"", sections=()):
    """Return a report whose table tells the pupils of two outcomes, and a sentence and results.json one of them."""
    outcomes = people(
        [("reading", reading), ("maths", maths)], ("n_pupils_treated",), caption="Outcomes", is_nested=True
    )
    drawn = figure("pupils", people([("reading", reading)], ("n_pupils_treated",), caption="Behind"), picture)
    told = (
        Heading(1, "What do the data show?"),
        Text("Written by hand."),
        Prose((f"There are {reading:,} pupils in reading.", "Nobody knows."), "paragraph"),
        outcomes,
        drawn,
    )
    document = Document(
        title="Reading", slug="knowsley-ssif", question="Did it?", face=("It did.",), sections=(told, *sections)
    )
    return Contents(
        document=document,
        tables={"outcomes": outcomes},
        figures={"pupils": drawn},
        results={"outcomes": [{"n_pupils_treated": reading, "estimate": 0.5}, {"n_pupils_treated": maths}]},
        threshold=6,
    )


def flow_and_effects(listed=1618, analysed=1615, effect=1615):
    """Return a report that tells the same people as those analysed of a flow, and beside an estimate."""
    columns = (Column("step", "Step"), Column("n", "Units", "school_count"))
    rows = (("Listed", listed), ("Left out: moved", listed - analysed), ("Analysed", analysed))
    flow = release(Table(caption="Flow", columns=columns, rows=rows, row_sums=((0, 1, 2),)), 0)
    columns = (Column("design", "Design"), Column("n_treated", "Treated", "school_count"))
    effects = release(Table(caption="Effects", columns=columns, rows=(("main", effect), ("wider", 2100))), 0)
    said = Sentence("{n} were analysed.", n=count(effect, of="units", noun="unit"))
    made = contents()
    document = replace(made.document, sections=((Heading(1, "Who?"), Prose((said,)), flow, effects),))
    return replace(made, document=document, tables={"flow": flow, "effects": effects}, figures={}, results={})
