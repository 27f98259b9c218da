"""What became of pupils: destinations after key stage 4, and after 16 to 18 study, school by school."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evalkit.data.files.layout import Field
from evalkit.data.layouts.field_table import contents_of_schools, layout_of_schools, read_fields, summer_by_name
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import PublishedTable

_KEYS: Final = (
    Field(name="RECTYPE", meaning="Type of record: 1 and 2 are schools, 4 authorities, 5 and 7 England.", form="code"),
    Field(name="LEA", meaning="Local authority, three digits.", form="area", also=("LA",)),
    Field(name="ESTAB", meaning="Number of the establishment within its authority.", form="code"),
    Field(name="URN", meaning="Unique reference number of the school or college.", form="urn"),
    Field(name="SCHNAME", meaning="Name of the school or college.", is_required=False),
)
_PLACES: Final = (
    ("OVERALL_DEST", "stayed in education, apprenticeships or employment"),
    ("APPREN", "went into an apprenticeship"),
    ("EMPLOYMENT", "stayed in employment"),
    ("EDUCATION", "stayed in education"),
    ("FE", "went to a further education college"),
    ("SCH_6TH", "went to a school sixth form"),
    ("SIXTH_COL", "went to a sixth form college"),
    ("OTHER_EDU", "went to other education"),
    ("NOT_SUSTAINED", "did not stay in education or employment"),
    ("UNKNOWN", "are not known of"),
)
_GROUPS: Final = (("", "pupils"), ("_DIS", "disadvantaged pupils"), ("_NONDIS", "other pupils"))


def _destinations() -> tuple[Field, ...]:
    fields = [Field(name="COHORT", meaning="Pupils who completed the stage.", form="number")]
    for group, whom in _GROUPS:
        for code, what in _PLACES:
            is_main = (code, group) == ("OVERALL_DEST", "")
            fields += [
                Field(
                    name=f"{code}{group}", meaning=f"Number of {whom} who {what}.", form="number", is_required=False
                ),
                Field(
                    name=f"{code}PER{group}", meaning=f"Percentage of {whom} who {what}.", form="percent",
                    is_required=is_main,
                ),
            ]  # fmt: skip
        if group:
            fields.append(
                Field(name=f"COHORT{group}", meaning=f"The {whom} among them.", form="number", is_required=False)
            )
    return (*_KEYS, *fields)


_DESTINATIONS: Final = _destinations()
_LAG: Final = "Destinations are published under a later year than that in which the pupils completed the stage."


def read_destinations(path: Path, year: int | None = None) -> PublishedTable:
    r"""Return where pupils of each school went after the stage, with the reason of each number that is missing.

    Rows of authorities and of England stand among them (`RECTYPE`). `year` is the summer that the file's name says
    where none is given. Codes such as SUPP are reasons; destinations are suppressed below 11 pupils.

    Raises
    ------
    DataError
        If the file is damaged or of another kind, a cell is neither a number nor a code, or a school has two rows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_destinations
    >>> header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,COHORT,OVERALL_DESTPER\n"
    >>> rows = "1,340,4001,100001,Plover,120,94%\n1,340,4002,100002,Heron,8,SUPP\n"
    >>> _ = Path("ks4-pupdest.csv").write_text(header + rows)
    >>> found = read_destinations(Path("ks4-pupdest.csv"), year=2022)
    >>> found.values["OVERALL_DESTPER"].tolist(), found.reasons["OVERALL_DESTPER"][1]
    ([94.0, nan], 'suppressed (too few pupils)')
    """
    table, _ = open_as(path, LAYOUTS)
    summer = year if year is not None else summer_by_name(table.name)
    return read_fields(table, _DESTINATIONS, one_of=("RECTYPE", "LEA", "ESTAB", "URN"), year=summer, notes=(_LAG,))


LAYOUTS: Final = (
    layout_of_schools(
        _DESTINATIONS, contents_of_schools(_DESTINATIONS, "destinations", area="LEA", school="URN"),
        name="destinations", title="Performance table, destinations of pupils", publisher="DfE",
        reader="read_destinations",
    ),
)  # fmt: skip
