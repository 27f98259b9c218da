"""Pupils and absence of each school: the census and absence files of the school performance tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from evalkit.core.words import listed
from evalkit.data.files.layout import Field
from evalkit.data.layouts.field_table import NATION, contents_of_schools, layout_of_schools, read_schools
from evalkit.data.layouts.published_table import PublishedTable
from evalkit.data.published.codes import coded_notes

_URN: Final = Field(name="URN", meaning="Unique reference number of the school; of England's rows blank.", form="urn")
_LA: Final = Field(
    name="LA", meaning="Local authority, three digits; NAT in rows of England.", form="area", also=("LEA",)
)
_ESTAB: Final = Field(
    name="ESTAB", meaning="Number of the establishment; PRI, SEC or SPE in rows of England.", form="code"
)
_ROW: Final = ("URN", "LA", "ESTAB")
"""What a row stands alone in."""


def _pupils(name: str, of: str) -> Field:
    return Field(name=name, meaning=f"Pupils {of}.", form="number", is_required=False)


def _share(name: str, of: str) -> Field:
    return Field(name=name, meaning=f"Percentage of pupils {of}.", form="percent", is_required=False)


_CENSUS: Final = (
    _URN,
    _LA,
    _ESTAB,
    Field(name="SCHOOLTYPE", meaning="Type of the school.", is_required=False),
    Field(name="NOR", meaning="Pupils on roll.", form="number"),
    _pupils("NORG", "who are girls"),
    _pupils("NORB", "who are boys"),
    _share("PNORG", "who are girls"),
    _share("PNORB", "who are boys"),
    _pupils("TSENELSE", "with an education, health and care plan"),
    _share("PSENELSE", "with an education, health and care plan"),
    _pupils("TSENELK", "with support for special needs"),
    _share("PSENELK", "with support for special needs"),
    _pupils("NUMEAL", "whose first language is not English"),
    _pupils("NUMENGFL", "whose first language is English"),
    _pupils("NUMUNCFL", "whose first language is not classified"),
    _share("PNUMEAL", "whose first language is not English"),
    _share("PNUMENGFL", "whose first language is English"),
    _share("PNUMUNCFL", "whose first language is not classified"),
    _pupils("NUMFSM", "eligible for free school meals"),
    _pupils("NUMFSMEVER", "eligible for free school meals at any time in six years"),
    _pupils("NORFSMEVER", "that the percentage of these is of"),
    _share("PNUMFSMEVER", "eligible for free school meals at any time in six years"),
)
_ABSENCE: Final = (
    _LA,
    _ESTAB,
    _URN,
    Field(name="PERCTOT", meaning="Percentage of sessions missed, authorised or not.", form="percent"),
    Field(
        name="PPERSABS10",
        meaning="Percentage of pupils who missed a tenth of their sessions or more.",
        form="percent",
        is_required=False,
    ),
    Field(
        name="PPERSABS15",
        meaning="Percentage who missed about 15% of a typical school's sessions or more, to 2014/15.",
        form="percent",
        is_required=False,
    ),
)
_OLD_THRESHOLD: Final = (
    "Persistent absence was a fixed number of sessions (some 15%) to 2014/15 and is a tenth of a pupil's own since "
    "2015/16: the two are not comparable."
)


def read_school_census(path: Path, year: int | None = None) -> PublishedTable:
    r"""Return the pupils of each school in the January census, with the reason of each number that is missing.

    Rows of England stand among them, `level` tells them: `national` or `school`. `year`, the summer of the school year,
    is that which the file's name says where none is given; the file itself does not say it.

    Raises
    ------
    DataError
        If the file is damaged or of another kind, a cell is neither a number nor a code, or a school has two rows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_school_census
    >>> rows = "100000,201,3614,271,46.9%\n100001,201,6005,739,NA\nNAT,,PRI,4647851,49.1%\n"
    >>> _ = Path("2022-23_census.csv").write_text("URN,LA,ESTAB,NOR,PNORG\n" + rows)
    >>> census = read_school_census(Path("2022-23_census.csv"))
    >>> census.keys["level"].tolist(), census.values["PNORG"].tolist()
    (['school', 'school', 'national'], [46.9, nan, 49.1])
    >>> census.reasons["PNORG"][1], int(census.keys["year"][0])
    ('not applicable or not available for the year', 2023)
    """
    return _with_levels(read_schools(path, LAYOUTS[0], one_of=_ROW, year=year))


def read_school_absence(path: Path, year: int | None = None) -> PublishedTable:
    r"""Return the absence and persistent absence of each school over a school year.

    Rows of England and `year` are as in `read_school_census`, and so are the errors.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_school_absence
    >>> rows = "201,3614,100000,5.2,9.8\nNAT,PRI,,5.9,16.2\n"
    >>> _ = Path("england_abs.csv").write_text("LA,ESTAB,URN,PERCTOT,PPERSABS10\n" + rows)
    >>> absence = read_school_absence(Path("england_abs.csv"), year=2023)
    >>> absence.values["PERCTOT"].tolist(), absence.keys["level"].tolist()
    ([5.2, 5.9], ['school', 'national'])
    """
    return _with_levels(read_schools(path, LAYOUTS[1], one_of=_ROW, year=year), note=_OLD_THRESHOLD)


def _with_levels(read: PublishedTable, note: str = "") -> PublishedTable:
    is_nation = read.keys["URN"].eq(NATION) | read.keys["LA"].eq(NATION)
    keys = read.keys.assign(level=is_nation.map({True: "national", False: "school"}))
    said = [*filter(None, [note]), *coded_notes(read.codes)]
    if "year" not in read.keys:
        said.append(f"Neither the file nor its name says the year of {listed(list(read.values.columns), 3)}.")
    return replace(read, keys=keys, notes=tuple(said))


LAYOUTS: Final = (
    layout_of_schools(
        _CENSUS, contents_of_schools(_CENSUS, "school census", area="LA", school="URN"), name="school-census",
        title="Performance tables, pupils of each school (census)", publisher="DfE", reader="read_school_census",
        seen="England, 2022/23",
    ),
    layout_of_schools(
        _ABSENCE, contents_of_schools(_ABSENCE, "school absence", area="LA", school="URN"), name="school-absence",
        title="Performance tables, absence of each school", publisher="DfE", reader="read_school_absence",
        seen="England, 2022/23",
    ),
)  # fmt: skip
