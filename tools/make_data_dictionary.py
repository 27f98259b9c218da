"""Write the data dictionary: every layout that the kit tells files by, its columns, and the function that reads it.

    python tools/make_data_dictionary.py

It writes docs/reference/data-dictionary.md from the layouts in evalkit/data/layouts; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from evalkit.data.files.layout import Field, Layout
from evalkit.data.layouts.registry import layouts

PATH: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "data-dictionary.md"
NEVER_READ: Final = "never read a real file"
_FORMS: Final = {
    "text": "text", "urn": "URN", "laestab": "LAESTAB", "area": "authority", "number": "number",
    "percent": "percentage", "date": "day", "period": "period", "code": "code",
}  # fmt: skip
_HEAD: Final = f"""# Data dictionary

Every published layout that a file is told by, from its content alone: names of files and folders count for nothing.
This page is made from the layouts themselves by `tools/make_data_dictionary.py`. A file that several layouts fit is of
the first. **{NEVER_READ.capitalize()}** marks a layout for which no file was at hand when it was made: its columns are
those of public documentation, and a file that has others is refused with what it lacks.

Cells are text until they are read. In a column of numbers a number may have a percent sign or thousands separators; an
empty cell and the codes of published tables are missing, each with its reason: see [cells and codes](#cells-and-codes).
All functions stand at `evalkit.` and show a call (`help(evalkit.read_ees)`).
"""


def main() -> None:
    """Write the page."""
    PATH.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page as Markdown."""
    used = [layout for layout in layouts() if not layout.unused_reason]
    unused = [layout for layout in layouts() if layout.unused_reason]
    parts = [_HEAD, "\n".join(_overview(used)), *(_described(layout) for layout in used)]
    parts += ["## Recognised and not used\n\n" + "\n".join(_left_out(unused)), _codes()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _overview(used: list[Layout]) -> Iterator[str]:
    yield "| layout | publisher | read by | real files read |"
    yield "|---|---|---|---|"
    for layout in used:
        link = layout.title.lower().translate({ord(mark): None for mark in "(),.:'"}).replace(" ", "-")
        yield f"| [{layout.title}](#{link}) | {layout.publisher} | {_reader(layout)} | {layout.seen or NEVER_READ} |"


def _described(layout: Layout) -> str:
    told = [f"`{field.name}`" for field in layout.fields if field.is_required]
    lines = [f"## {layout.title}", ""]
    seen = f"Real files read: {layout.seen}." if layout.seen else f"**{NEVER_READ.capitalize()}.**"
    lines += [
        f"Name of the layout: `{layout.name}`. Publisher: {layout.publisher}. Read by {_reader(layout)}. {seen}",
        "",
    ]
    if told:
        lines += [f"Told by its columns {', '.join(told)}, in any order and any case of letters.", ""]
    lines += ["| column | holds | meaning |", "|---|---|---|", *map(_row, layout.fields)]
    return "\n".join(lines)


def _row(field: Field) -> str:
    names = " or ".join(f"`{name}`" for name in (field.name, *field.also))
    absent = "" if field.is_required else ", may be absent"
    return f"| {names} | {_FORMS[field.form]}{absent} | {field.meaning} |"


def _reader(layout: Layout) -> str:
    return f"`{layout.reader}`" if layout.reader else "projects alone"


def _left_out(unused: list[Layout]) -> Iterator[str]:
    yield "Such files are listed by `evalkit check`, with the reason."
    yield ""
    yield "| what it is | told by | not used, for |"
    yield "|---|---|---|"
    for layout in unused:
        told = ", ".join(f"`{field.name}`" for field in layout.fields) or "its sheets or its text"
        yield f"| {layout.title} | {told} | {layout.unused_reason} |"


def _codes() -> str:
    from evalkit.data.published.codes import MEANINGS

    rows = [f"| `{code}` | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["## Cells and codes", "", "| code | meaning |", "|---|---|", *rows])


if __name__ == "__main__":
    main()
