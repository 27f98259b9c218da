"""Write the list of measures that a project file may name, from the registry: `docs/reference/measures.md`.

python tools/make_measures.py
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from evalkit.data.measures import MEASURES, AreaPlace, Measure, area_measures

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "measures.md"
START = """# Measures

Codes that `outcomes` of a project file may name, as DfE names the columns of its wide performance tables. Made from
`evalkit/data/measures.yml` by `tools/make_measures.py`. Which of them a folder of files holds, `evalkit check` says:
the assembled England panel, for one, has attainment to 2018 and progress to 2019. *g by* says what effect sizes divide
by ([how](../methods/effect-size.md)); *groups* end the code, as in `READPROG_FSM6CLA1A`; *open data* is the column that
Explore Education Statistics has a measure in, with its subject, which is read for summers that no wide table gives.

A measure of your own needs no entry here: it is a column of a table of the project's, with its label, unit, direction,
standard deviation and breaks in the project file ([how](../how-to/own-tables.md)).
"""
LAYOUTS = {
    "lait": "interactive tool",
    "ees": "open data",
    "exclusions": "statistical releases",
    "ofsted-history": "history of ratings:",
}
SPREADS = {"scaled_scores": "scaled scores", "share": "the share", "none": "none: no spread published"}


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: a table of each key stage, of authorities' measures, then every gap, rule and break."""
    parts = [
        *_tables(),
        *_of_areas(),
        "## Summers without results\n",
        *_absences(),
        "\n## Small numbers\n",
        *_small_numbers(),
        "\n## Breaks\n",
        *_breaks(),
    ]
    return "\n".join([START, *parts]) + "\n"


def _whole() -> list[Measure]:
    return [known for known in MEASURES.values() if not known.subgroup]


def _tables() -> Iterator[str]:
    for stage, name in (("KS2", "Key stage 2"), ("KS4", "Key stage 4"), ("ABS", "Absence")):
        yield f"## {name}\n"
        yield "| code | measure | unit | summers | g by | groups | open data |\n|---|---|---|---|---|---|---|"
        yield from (_row(known) for known in _whole() if known.key_stage == stage)
        yield ""


def _row(known: Measure) -> str:
    groups = [code.removeprefix(f"{known.code}_") for code in MEASURES if code.startswith(f"{known.code}_")]
    groups = [group for group in groups if MEASURES[f"{known.code}_{group}"].subgroup]
    spread, cell = SPREADS[known.sd.kind], ""
    if known.ees is not None:
        cell = ", ".join(
            [*(f"`{name}`" for name in known.ees.columns), *([known.ees.subject] if known.ees.subject else [])]
        )
    cells = (f"`{known.code}`", known.label, known.unit, runs(known.years), spread, " ".join(groups), cell)
    return f"| {' | '.join(cells)} |"


def runs(years: Iterable[int]) -> str:
    """Return years with those that run on as one: `2016 to 2019, 2022, 2023`."""
    found: list[list[int]] = []
    for year in sorted(years):
        if found and year == found[-1][-1] + 1:
            found[-1].append(year)
        else:
            found.append([year])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in found)


def _of_areas() -> Iterator[str]:
    yield "## Authorities\n"
    yield "Published of authorities and of no school: outcomes of the kinds `series` and `synthetic`"
    yield "([how](../how-to/area-series.md)). Of several files that hold one, the first here with years on both sides"
    yield "of the programme's start is read. The middle authority of every year lies between the values under *middle*;"
    yield "a file in which it does not is refused, as one in another unit.\n"
    yield "| code | measure | unit | better | summers | middle | read from |\n|---|---|---|---|---|---|---|"
    for known in area_measures().values():
        better, (low, high) = known.direction.removesuffix(" is better"), known.typical or (0, 0)
        places = "; ".join(map(_place, known.places))
        cells = (f"`{known.code}`", known.label, known.unit, better, runs(known.years), f"{low:g} to {high:g}", places)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _place(place: AreaPlace) -> str:
    where = "".join(f", {column} {value}" for column, value in place.where)
    return f"{LAYOUTS[place.layout]} `{place.column}`{where}"


def _absences() -> Iterator[str]:
    of_gap: dict[tuple[tuple[int, ...], str, str], list[str]] = {}
    for known in _whole():
        for one in known.absences:
            of_gap.setdefault((one.years, one.kind, one.sentence), []).append(_name(known))
    for (years, kind, sentence), names in sorted(of_gap.items()):
        what = "none exist" if kind == "never" else "not in the wide tables"
        yield f"- **{runs(years)}, {what}:** {sentence}. {', '.join(names)}."


def _small_numbers() -> Iterator[str]:
    of_rule: dict[str, list[str]] = {}
    for known in _whole():
        if known.small_numbers:
            of_rule.setdefault(known.small_numbers, []).append(_name(known))
    yield from (f"- A figure is {rule}: {', '.join(names)}." for rule, names in of_rule.items())


def _breaks() -> Iterator[str]:
    of_break: dict[tuple[int, int, str, str], list[str]] = {}
    for known in _whole():
        for one in known.breaks:
            of_break.setdefault((one.before, one.after, one.kind, one.sentence), []).append(_name(known))
    for (before, after, kind, sentence), names in sorted(of_break.items()):
        what = "never compared across" if kind == "level" else "a comparison of changes may cross it"
        yield f"- **{before} to {after}, {what}.** {sentence} {', '.join(names)}."


def _name(known: Measure) -> str:
    return f"`{known.code}`"


if __name__ == "__main__":
    main()
