"""Write the list of measures that a project file may name, from the registry: `docs/reference/measures.md`.

python tools/make_measures.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evalkit.data.measures import MEASURES, Measure

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "measures.md"
START = """# Measures

Codes that `outcomes` of a project file may name, as DfE names the columns. Made from `evalkit/data/measures.yml` by
`tools/make_measures.py`. Which of them a folder of files holds, `evalkit check` says: the assembled England panel,
for one, has attainment to 2018 and progress to 2019. *g by* says what effect sizes divide by
([how](../methods/effect-size.md)); *groups* end the code, as in `READPROG_FSM6CLA1A`.
"""
SPREADS = {"scaled_scores": "scaled scores", "share": "the share", "none": "none: no spread published"}


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: a table of each key stage, then every break."""
    return "\n".join([START, *_tables(), "## Breaks", "", *_breaks()]) + "\n"


def _tables() -> Iterator[str]:
    for stage, name in (("KS2", "Key stage 2"), ("KS4", "Key stage 4")):
        yield f"## {name}\n"
        yield "| code | measure | unit | summers | g by | groups |\n|---|---|---|---|---|---|"
        yield from (_row(known) for known in MEASURES.values() if known.key_stage == stage and not known.subgroup)
        yield ""


def _row(known: Measure) -> str:
    groups = [code.removeprefix(f"{known.code}_") for code in MEASURES if code.startswith(f"{known.code}_")]
    groups = [group for group in groups if MEASURES[f"{known.code}_{group}"].subgroup]
    years = str(known.years[0]) if len(known.years) == 1 else f"{known.years[0]} to {known.years[-1]}"
    cells = (f"`{known.code}`", known.label, known.unit, years, SPREADS[known.sd.kind], " ".join(groups))
    return f"| {' | '.join(cells)} |"


def _breaks() -> Iterator[str]:
    of_break: dict[tuple[int, int, str, str], list[str]] = {}
    for known in MEASURES.values():
        for one in () if known.subgroup else known.breaks:
            of_break.setdefault((one.before, one.after, one.kind, one.sentence), []).append(f"`{known.code}`")
    for (before, after, kind, sentence), codes in sorted(of_break.items()):
        what = "never compared across" if kind == "level" else "a comparison of changes may cross it"
        yield f"- **{before} to {after}, {what}.** {sentence} {', '.join(codes)}."


if __name__ == "__main__":
    main()
