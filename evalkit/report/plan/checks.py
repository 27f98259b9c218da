"""What an evaluation will check, by which thresholds, and which result will be called what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import number
from evalkit.core.project import Project
from evalkit.diagnose.evaluation import Evaluation
from evalkit.diagnose.finding import DIFFERENTIAL, Finding, FindingKind
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.diagnose.matched.findings import OUTSIDE
from evalkit.diagnose.project.checks import MOST_CONTAMINATED
from evalkit.diagnose.project.checks_sample import FEW_AREAS
from evalkit.diagnose.project.evaluation import JOINT_LEVEL
from evalkit.diagnose.project.falsification import CAUTION, ENOUGH_POWER, FEWEST_AREAS, SERIOUS
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.words.answers import in_order
from evalkit.report.words.names import capital, finding_label

_BANDS: Final = {
    "balance": ("the largest standardised difference before", (SATISFIED, ADJUSTABLE)),
    "baseline": ("the standardised difference before", (SATISFIED, ADJUSTABLE)),
    "overlap": ("the share of the treated outside the range of those compared", OUTSIDE),
    "attrition": ("the difference between the arms in the share lost", DIFFERENTIAL),
    "missing_after": ("the difference between the arms in the share lost", DIFFERENTIAL),
    "conversions": ("the difference between the arms in the share that changed identity", DIFFERENTIAL),
    "contamination": ("the share of those compared in areas with another programme", (0.0, MOST_CONTAMINATED)),
}
"""What a design fact measures, with the sizes above which it is a caution and serious."""
_RANKED: Final = (
    f"fewer than {FEWEST_AREAS} areas: not assessable; passed with power under {number(100 * ENOUGH_POWER, 0)}%: "
    "uninformative."
)
_AT_MOST: Final = (
    f"Its rank among areas without the programme: a caution up to p = {number(CAUTION, 2)}, never serious; {_RANKED}"
)
_OWN: Final = {
    "placebo_start": _AT_MOST,
    "influence": _AT_MOST,
    "joint": f"The rank of all these p-values together: p up to {number(JOINT_LEVEL, 2)} lowers the rating by one.",
    "concentration": f"The equal areas that an arm is worth: a caution below {FEW_AREAS[0]:.0f}, serious below "
    f"{FEW_AREAS[1]:.0f}.",
    "lists_postdate": "A caution where the list was drawn up after the programme began.",
}
"""What decides checks that have a rule of their own."""
_RULES: Final = {
    FindingKind.DESIGN_FACT: "A fixed rule, printed with the verdict.",
    FindingKind.FALSIFICATION: (
        f"Its rank among areas without the programme: serious up to p = {number(SERIOUS, 2)}, a caution up to p = "
        f"{number(CAUTION, 2)}; {_RANKED}"
    ),
    FindingKind.STATEMENT: "No verdict: what must be known of the result.",
}


def checks_planned(evaluation: Evaluation) -> ReleasedTable:
    """Return every check that will be made, of each analysis, with what decides its verdict.

    `evaluation` is one of made-up results: which checks are made is the same, and nothing else of it is shown.
    """
    columns = (
        Column("analysis", "Analysis"),
        Column("check", "Check"),
        Column("kind", "Kind"),
        Column("rule", "What decides"),
    )
    rows = tuple(dict.fromkeys(_rows(evaluation)))
    notes = (
        "No verdict depends on how large the effect turns out. Every check is reported, whatever it says.",
        "A check that cannot be made on the results says so, and why.",
    )
    none: tuple[Cell, ...] = ("–", "None", "–", "–")
    table = Table(caption="Checks to be made", columns=columns, rows=rows or (none,), notes=notes, panel_by="analysis")
    return release(table, evaluation.project.disclosure.threshold)


def _rows(evaluation: Evaluation) -> Iterator[tuple[Cell, ...]]:
    for results in in_order(evaluation):
        for finding in results.findings:
            yield results.analysis.name, finding_label(finding.name), capital(str(finding.kind)), _rule(finding)


def _rule(finding: Finding) -> str:
    """Return what decides a verdict, in a sentence."""
    if finding.name in _OWN and finding.kind is not FindingKind.STATEMENT:
        return _OWN[finding.name]
    if finding.kind is FindingKind.DESIGN_FACT and finding.name in _BANDS:
        what, (caution, serious) = _BANDS[finding.name]
        return f"{capital(what)}: a caution above {number(caution, 2)}, serious above {number(serious, 2)}."
    return _RULES[finding.kind]


def conclusions(project: Project, what: str) -> ReleasedTable:
    """Return which result on the primary outcome, `what` in words, will be put in which words."""
    level = f"{number(100 * project.inference.level, 0)}%"
    rows = (
        (
            f"The {level} interval lies wholly above 0",
            f"{capital(what)} was higher than the comparison leads one to expect; both ends of the interval are given.",
        ),
        (
            f"The {level} interval lies wholly below 0",
            f"{capital(what)} was lower than the comparison leads one to expect; both ends of the interval are given.",
        ),
        (
            f"The {level} interval holds 0",
            f"“The data do not show whether” {what} was higher: the best estimate, and what else fits the data. That "
            "is not said to be no effect.",
        ),
        (
            "No interval or no estimate can be given",
            "“The data do not show” it, with the reason.",
        ),
        (
            "A check is serious, or a caution",
            "The conclusion stands beside it on the same page; no estimate is left out, and none is added.",
        ),
    )
    columns = (Column("result", "If …"), Column("said", "the report will say"))
    table = Table(caption="Which result will be called what", columns=columns, rows=rows)
    return release(table, project.disclosure.threshold)


def cannot_say() -> Prose:
    """Return what no result of this design will be said to show."""
    return Prose(
        (
            "Whatever the result, the report claims no more than the design allows: an effect only if, without the "
            "programme, the treated would have moved as the plan assumes.",
            "The primary outcome of the primary analysis decides; everything else stands beside it.",
        )
    )
