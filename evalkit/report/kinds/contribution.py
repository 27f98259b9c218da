"""What documents show of a theory of change: the drawing, its links with evidence and rivals, the bounded story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from evalkit.core.words import counted, listed
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.contribution import RUBRIC, ContributionPlan, Link, Rival
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.contribution import RULES, Chain, ContributionFindings, LinkVerdict
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table

_NONE: Final = "none stated"
_BOUND: Final[dict[LinkVerdict, str]] = {
    LinkVerdict.SUPPORTED: "every link is supported by independent evidence: what was seen is consistent with a "
    "contribution of the programme, whose size is not known",
    LinkVerdict.RIVAL: "every link is confirmed, and a rival explanation is not excluded: it may account for what was "
    "seen as well",
    LinkVerdict.SUGGESTED: "evidence from outside the programme suggests every link, and at the weakest one it could "
    "be found as well if the theory were wrong",
    LinkVerdict.MIXED: "evidence points both ways at the weakest link, so that nothing can be said of the whole chain",
    LinkVerdict.ASSERTED: "the weakest link is asserted by the programme alone, so that the chain is a claim and no "
    "finding",
    LinkVerdict.NOT_EVIDENCED: "the weakest link has no evidence, so that the chain is a theory and no finding",
    LinkVerdict.CONTRADICTED: "evidence contradicts the weakest link: this chain does not hold as the theory has it",
}
"""The most that may be said of an outcome, by the verdict on the weakest link of its best evidenced chain."""


def _found(results: AnalysisResults) -> ContributionFindings:
    return details_of(results, ContributionFindings)


# The plan.


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return the theory without its evidence, the tests of rivals, and the rules by which it will be judged."""
    options = details_of(plan, ContributionPlan).options
    columns = (Column("id", "Name"), Column("type", "What it is"), Column("label", "In words"))
    nodes = tuple((one.id, one.type, one.label) for one in options.nodes)
    steps = (Column("link", "Link"), Column("rivals", "Rival explanations", "quote"), Column("test", "Seen if so"))
    links = tuple(
        (_arrow(link), one.name if one else _NONE, one.test if one else "")
        for link in options.links
        for one in (link.rivals or (None,))
    )
    return (
        release(Table(caption="Nodes of the theory of change", columns=columns, rows=nodes), 0),
        release(Table(caption="Links, and the tests of rival explanations", columns=steps, rows=links), 0),
        *_rules(),
    )


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _arrow(link: Link) -> str:
    return f"{link.between[0]} → {link.between[1]}{' (feedback)' if link.feedback else ''}"


def _rules() -> Iterator[Part]:
    columns = (Column("word", "Word"), Column("meaning", "What it means"))
    yield release(Table(caption="Rubric of strength and independence", columns=columns, rows=tuple(RUBRIC.items())), 0)
    rules = tuple((one.words, RULES[one]) for one in LinkVerdict)
    note = "The first that applies is given. Support by the programme alone never counts for more than an assertion."
    yield release(Table(caption="Verdict on a link", columns=columns, rows=rules, notes=(note,)), 0)
    yield sentences(
        "Strengths are the tests of process tracing (Van Evera 1997; Collier 2011); asking link by link what supports "
        "a theory and what else explains it is contribution analysis (Mayne 2001, 2012). Strength and independence "
        "are judgements of those who wrote the project file; the verdicts follow from them by rule."
    )


# The answer.


def answer(results: AnalysisResults) -> Prose:
    """Return how many links are supported, and how many outcomes a chain of supported links reaches."""
    found = _found(results)
    n, held = len(found.verdicts), found.n_of(LinkVerdict.SUPPORTED)
    reached = sum(one is not None and one.verdict == LinkVerdict.SUPPORTED for one in found.chains.values())
    bare = found.n_of(LinkVerdict.NOT_EVIDENCED) + found.n_of(LinkVerdict.ASSERTED)
    return Prose(
        (
            f"Of {counted(n, 'link')} in the theory of change, {held} {_are(held)} supported by independent evidence; "
            f"{bare} {_are(bare)} asserted by the programme alone or not evidenced.",
            f"Of {counted(len(found.chains), 'outcome')}, {reached} {_are(reached)} reached by a chain in which every "
            "link is so supported.",
        ),
        "headline",
    )


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def story(found: ContributionFindings) -> tuple[str, ...]:
    """Return a sentence on each outcome, no stronger than the weakest link of its best evidenced chain allows.

    >>> from evalkit.design.kinds.contribution import ContributionOptions, Link, Node
    >>> from evalkit.diagnose.kinds.contribution import contribution_findings
    >>> nodes = (Node(id="a", type="activity", label="Training"), Node(id="b", type="outcome", label="Results"))
    >>> story(contribution_findings(ContributionOptions(nodes=nodes, links=(Link(between=("a", "b")),))))[0][:60]
    '“Training” → “Results”: the weakest link has no evidence, so '
    """
    return tuple(_told(found, name, chain) for name, chain in found.chains.items())


def _told(found: ContributionFindings, name: str, chain: Chain | None) -> str:
    label = found.options.label
    if chain is None:
        return f"“{label(name)}”: no chain of the theory arrives there from an input, an activity or a partner."
    way = " → ".join(f"“{label(one)}”" for one in chain.nodes)
    a, b = chain.weakest
    weak = f" The weakest link is “{label(a)}” → “{label(b)}”." if a != b else ""
    return f"{way}: {_BOUND[chain.verdict]}.{weak}"


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the drawing, the links with their verdicts, the bounded story, and objectives by partners."""
    found = _found(results)
    matrix = (matrix_table(found),) if found.options.matrix else ()
    told = Prose(story(found), "list")
    return theory_figure(results), links_table(found), Heading(3, "What may be said of each outcome"), told, *matrix


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def theory_figure(results: AnalysisResults) -> Figure:
    """Return the theory of change as a drawing."""
    from evalkit.report.figures.contribution import theory_plot

    found = _found(results)
    return theory_plot(found, links_table(found))


def links_table(found: ContributionFindings) -> ReleasedTable:
    """Return every link with its verdict and how much evidence it rests on."""
    columns = (
        Column("number", "No.", "count"),
        Column("earlier", "From"),
        Column("later", "To"),
        Column("verdict", "Verdict"),
        Column("for", "For", "count"),
        Column("against", "Against", "count"),
        Column("rivals", "Rivals (excluded)"),
    )
    rows = tuple(_link_row(found, number, link) for number, link in enumerate(found.options.links, start=1))
    note = "For and against are items of evidence, of whatever strength."
    return release(Table(caption="Links of the theory of change", columns=columns, rows=rows, notes=(note,)), 0)


def _link_row(found: ContributionFindings, number: int, link: Link) -> tuple[Cell, ...]:
    label, directions = found.options.label, [one.direction for one in link.evidence]
    excluded = sum(one.is_excluded for one in link.rivals)
    return (
        number,
        label(link.between[0]),
        label(link.between[1]) + (" (feedback)" if link.feedback else ""),
        found.verdicts[link.between].words,
        directions.count("supports"),
        directions.count("contradicts"),
        f"{len(link.rivals)} ({excluded})" if link.rivals else "none named",
    )


def matrix_table(found: ContributionFindings) -> ReleasedTable:
    """Return objectives by partners with the status of each, in words; what is not stated says so."""
    options = found.options
    status = {(cell.objective, cell.partner): cell.status for cell in options.matrix}
    partners = options.of_type("partner")
    columns = (Column("objective", "Objective"), *(Column(one.id, one.label) for one in partners))
    rows = tuple(
        (one.label, *(status.get((one.id, partner.id), _NONE) for partner in partners))
        for one in options.of_type("output", "outcome")
    )
    sources = listed(list(dict.fromkeys(cell.source for cell in options.matrix)), 9)
    caption = "Objectives by partners: what became of each"
    return release(Table(caption=caption, columns=columns, rows=rows, notes=(f"Sources: {sources}.",)), 0)


# What stands against it.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return every item of evidence with its strength and source, and every rival with what its test gave."""
    found = _found(results)
    return (
        Heading(3, "What does each link rest on?"),
        evidence_table(found),
        Heading(3, "What else could explain it?"),
        rivals_table(found),
        Heading(3, "By which rules was it judged?"),
        *_rules(),
    )


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def evidence_table(found: ContributionFindings) -> ReleasedTable:
    """Return every item of evidence by link; a link without any has a row that says so."""
    columns = (
        Column("link", "Link"),
        Column("says", "What was observed", "quote"),
        Column("direction", "Direction"),
        Column("test", "Strength"),
        Column("independence", "Found by"),
        Column("source", "Source", "quote"),
        Column("date", "Date"),
    )
    rows = tuple(
        (_arrow(link), one.says, one.direction, one.test, one.independence, one.source, one.date or _NONE)
        for link in found.options.links
        for one in link.evidence
    )
    bare = tuple(
        (_arrow(link), "No evidence is stated.", "none", "none", "none", "none", "none")
        for link in found.options.links
        if not link.evidence
    )
    return release(Table(caption="Evidence by link", columns=columns, rows=rows + bare, panel_by="link"), 0)


def rivals_table(found: ContributionFindings) -> ReleasedTable:
    """Return every rival explanation with its test; a link for which none is named has a row that says so."""
    columns = (
        Column("link", "Link"),
        Column("name", "Rival explanation", "quote"),
        Column("test", "Seen if so", "quote"),
        Column("outcome", "What came out"),
        Column("source", "Source", "quote"),
    )
    rows = tuple(_rival_row(link, one) for link in found.options.links for one in (link.rivals or (None,)))
    return release(Table(caption="Rival explanations by link", columns=columns, rows=rows, panel_by="link"), 0)


def _rival_row(link: Link, one: Rival | None) -> tuple[str, ...]:
    if one is None:
        return _arrow(link), "None is named.", "none", "not tested", "none"
    said: str = one.outcome
    if said == "excluded":
        said = "excluded" if one.is_excluded else "excluded by the programme alone, which does not count"
    return _arrow(link), one.name, one.test, said, one.source or _NONE


def limits(results: AnalysisResults) -> Prose:
    """Return what a theory of change with its evidence cannot say."""
    return Prose(
        (
            "Verdicts rest on the evidence that the project file lists; evidence that nobody looked for is not in it.",
            "How strong and how independent an item is was judged by those who wrote the file. Two readers may judge "
            "otherwise; each item stands in the annex with its source.",
            "Nothing here says how large a change was, or what would have happened without the programme.",
        ),
        "list",
    )


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found = _found(results)
    made = {
        "contribution_links": links_table(found),
        "contribution_evidence": evidence_table(found),
        "contribution_rivals": rivals_table(found),
    }
    return made | ({"contribution_matrix": matrix_table(found)} if found.options.matrix else {})


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {"contribution": partial(theory_figure, results)}
