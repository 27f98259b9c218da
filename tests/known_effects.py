"""Projects of every kind on the effects that the whole synthetic England plants."""

import shutil
from pathlib import Path

from evalkit.data.synthetic.known import KNOWN_FOLDER

HEAD = """\
schema_version: 2
slug: known
title: A known effect
question: Is the effect that was planted found?
programme: {{name: Planted, place: some authorities, funder: nobody, aim: to be found, start: {start}, end: 2025-07-31}}
data: {{kind: synthetic, tables: {{known: {{file: {table}}}}}}}
participants: {{file: {who}}}
missing: {{bounds: none, imputation: null, tipping: false, suppressed: none}}
"""
AREAS = "areas.csv, unit: la_code, period: year"
SCHOOLS = "schools.csv, unit: urn, period: year, area: la, pupils: pupils"
ONE = HEAD.format(start="2017-09-01", table=AREAS, who="one_authority.csv")
THREE = HEAD.format(start="2013-09-01", table=AREAS, who="three_authorities.csv")
SUPPORTED = HEAD.format(start="2023-09-01", table=SCHOOLS, who="supported_schools.csv")
NORTH = "pool: {exclude_regions: [London, South East, South West, East of England]}"
GRADES = 'categories: {"1": Outstanding, "2": Good, "3": Requires improvement, "4": Inadequate}'


def outcome(column, role="primary", direction="higher", unit="points"):
    return f"  - {{table: known, column: {column}, label: {column.title()}, unit: {unit}, direction: {direction}, role: {role}}}\n"  # noqa: E501


def outcomes(*lines):
    return "outcomes:\n" + "".join(lines)


def analysis(options):
    return f"analyses: [{{name: main, primary: true, {options}}}]\n"


SUSPENSIONS = outcomes(outcome("suspensions", direction="lower", unit="per 100 pupils"))
GAP = outcomes(outcome("disadvantaged"), outcome("others", "placebo"))
CONTRAST = "contrasts: [{measure: known.disadvantaged, minus: known.others}]\n"
TWO_AND_TWO, LAST = (
    "exposure: {pre: [2022, 2023], post: [2024, 2025]}\n",
    "exposure: {pre: [2022, 2023], post: [2025]}\n",
)
PROJECTS = {
    "series": ONE
    + outcomes(outcome("suspensions", direction="lower"), outcome("attendance", "placebo"))
    + analysis("kind: series"),
    "sc": ONE + SUSPENSIONS + analysis(f"kind: synthetic, method: sc, {NORTH}"),
    "augmented": ONE + SUSPENSIONS + analysis(f"kind: synthetic, method: augmented, {NORTH}"),
    "sdid": ONE + SUSPENSIONS + analysis(f"kind: synthetic, method: sdid, {NORTH}"),
    "staggered starts": THREE + outcomes(outcome("good_schools")) + analysis("kind: synthetic, draws: 199"),
    "dose": SUPPORTED + TWO_AND_TWO + outcomes(outcome("reading"), outcome("maths", "placebo"))
    + analysis("kind: dose, per: day"),
    "transitions": SUPPORTED + LAST + outcomes(outcome("grade", direction="lower", unit="category"))
    + analysis(f"kind: transitions, {GRADES}"),
    "triple differences": SUPPORTED
    + TWO_AND_TWO + GAP + CONTRAST + analysis("kind: staggered"),
    "triple differences of areas": SUPPORTED + TWO_AND_TWO + GAP + CONTRAST + analysis("kind: areas"),
}  # fmt: skip
"""By what is tried: the whole project file."""

OUTCOME = {
    "staggered starts": "known.good_schools",
    "dose": "known.reading",
    "transitions": "known.grade",
    "triple differences": "known.disadvantaged-known.others",
    "triple differences of areas": "known.disadvantaged-known.others",
}
"""The outcome in which the effect is planted, where it is not suspensions."""


def made(folder: Path, england: Path, name: str) -> Path:
    """Write a project and the tables it reads, which are those of a synthetic England; return its file."""
    shutil.copytree(england / KNOWN_FOLDER, folder)
    (folder / "project.yml").write_text(PROJECTS[name], encoding="utf-8")
    return folder / "project.yml"
