"""What became of pupils: destinations after key stage 4 and after 16 to 18 study, and results of 16 to 18 study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from evalkit.data.files.layout import Field
from evalkit.data.layouts.field_table import contents_of_schools, layout_of_schools, read_schools
from evalkit.data.layouts.published_table import PublishedTable
from evalkit.data.published.codes import coded_notes

_KEYS: Final = (
    Field(name="RECTYPE", meaning="Type of record: 1 and 2 are schools, 4 authorities, 5 and 7 England.", form="code"),
    Field(name="LEA", meaning="Local authority, three digits.", form="area", also=("LA",)),
    Field(name="ESTAB", meaning="Number of the establishment within its authority.", form="code"),
    Field(name="URN", meaning="Unique reference number of the school or college.", form="urn"),
    Field(name="SCHNAME", meaning="Name of the school or college.", is_required=False),
)
_ROW: Final = ("RECTYPE", "LEA", "ESTAB", "URN")
"""What a row stands alone in."""
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


def _score(name: str, meaning: str, *, also: tuple[str, ...] = (), is_required: bool = False) -> Field:
    return Field(name=name, meaning=meaning, form="number", also=also, is_required=is_required)


_DESTINATIONS: Final = _destinations()
_RESULTS: Final = (
    *_KEYS,
    _score("TPUP1618", "Students at the end of 16 to 18 study.", is_required=True),
    _score("TALLPUP_ALEV_1618", "Students with an A level entry."),
    _score("TALLPPE_ALEV_1618", "Mean points of an A level entry.", is_required=True),
    _score("TALLPUP_ACAD_1618", "Students with an academic entry."),
    _score("TALLPPE_ACAD_1618", "Mean points of an academic entry."),
    _score("TB3PTSE", "Mean points of the best three A levels."),
    _score("VA_INS_ALEV", "Value added in A levels."),
    _score("LCI_INS_ALEV", "Lower end of its 95% interval."),
    _score("UCI_INS_ALEV", "Upper end of its 95% interval."),
    _score("VA_INS_ACAD", "Value added in academic qualifications."),
)
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
    read = read_schools(path, LAYOUTS[0], one_of=_ROW, year=year, notes=(_LAG,))
    return replace(read, notes=(*read.notes, *coded_notes(read.codes)))


def read_16_to_18(path: Path, year: int | None = None) -> PublishedTable:
    r"""Return the results of 16 to 18 study of each school and college of a performance table of key stage 5.

    Rows, `year` and errors are as in `read_destinations`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_16_to_18
    >>> header = "RECTYPE,LEA,ESTAB,URN,TPUP1618,TALLPPE_ALEV_1618,VA_INS_ALEV\n"
    >>> _ = Path("2018-2019_ks5final.csv").write_text(header + "1,340,4001,100001,88,31.5,NE\n")
    >>> results = read_16_to_18(Path("2018-2019_ks5final.csv"))
    >>> results.values["TALLPPE_ALEV_1618"].tolist(), results.keys["year"].tolist(), results.reasons["VA_INS_ALEV"][0]
    ([31.5], [2019], 'no entries')
    """
    read = read_schools(path, LAYOUTS[1], one_of=_ROW, year=year)
    return replace(read, notes=tuple(coded_notes(read.codes)))


LAYOUTS: Final = (
    layout_of_schools(
        _DESTINATIONS, contents_of_schools(_DESTINATIONS, "destinations", area="LEA", school="URN"),
        name="destinations", title="Performance table, destinations of pupils", publisher="DfE",
        reader="read_destinations",
    ),
    layout_of_schools(
        _RESULTS, contents_of_schools(_RESULTS, "16 to 18 study", area="LEA", school="URN"), name="results-16-to-18",
        title="Performance table, 16 to 18 study (key stage 5)", publisher="DfE", reader="read_16_to_18",
    ),
)  # fmt: skip
