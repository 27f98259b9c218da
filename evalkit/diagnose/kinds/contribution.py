"""Verdicts on the links and chains of a theory of change, by fixed rules from the evidence alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from graphlib import TopologicalSorter
from typing import Final

from evalkit.core.shown import Shown
from evalkit.core.words import counted
from evalkit.design.kinds.contribution import STARTS, ContributionOptions, Link
from evalkit.diagnose.finding import Finding, Verdict, design_fact, statement

CONFIRMING: Final = ("smoking gun", "doubly decisive")
"""Tests of which passing one confirms a link."""
ELIMINATING: Final = ("hoop", "doubly decisive")
"""Tests of which failing one eliminates a link."""


class LinkVerdict(IntEnum):
    """What the evidence allows to be said of a link, the weakest first."""

    CONTRADICTED = 0
    NOT_EVIDENCED = 1
    ASSERTED = 2
    MIXED = 3
    SUGGESTED = 4
    RIVAL = 5
    SUPPORTED = 6

    @property
    def words(self) -> str:
        """Return the verdict as readers see it."""
        return WORDS[self]


WORDS: Final[Mapping[LinkVerdict, str]] = {
    LinkVerdict.CONTRADICTED: "contradicted",
    LinkVerdict.NOT_EVIDENCED: "not evidenced",
    LinkVerdict.ASSERTED: "asserted by the programme alone",
    LinkVerdict.MIXED: "evidence points both ways",
    LinkVerdict.SUGGESTED: "suggested, not confirmed independently",
    LinkVerdict.RIVAL: "confirmed, a rival not excluded",
    LinkVerdict.SUPPORTED: "supported by independent evidence",
}
RULES: Final[Mapping[LinkVerdict, str]] = {
    LinkVerdict.CONTRADICTED: "a hoop or doubly decisive test was failed; or evidence contradicts it and none from "
    "outside the programme supports it",
    LinkVerdict.NOT_EVIDENCED: "no evidence supports or contradicts it",
    LinkVerdict.ASSERTED: "all that supports it comes from the programme",
    LinkVerdict.MIXED: "evidence from outside supports it, and other evidence contradicts it",
    LinkVerdict.SUGGESTED: "evidence from outside supports it, and no independent source passed a smoking gun or "
    "doubly decisive test",
    LinkVerdict.RIVAL: "an independent source passed such a test; a rival is not excluded by others than the "
    "programme, or none was named and no doubly decisive test was passed",
    LinkVerdict.SUPPORTED: "an independent source passed such a test, nothing contradicts it, and every rival named "
    "is excluded (where none is named: the test was doubly decisive)",
}
"""What gives each verdict; the first that applies is given."""


def link_verdict(link: Link) -> LinkVerdict:
    """Return the verdict on a link by `RULES`; the order of its evidence and rivals does not matter.

    Support that is added never lowers it, and support by the programme alone never raises it above `ASSERTED`
    (tests of process tracing: Van Evera 1997; Collier 2011).
    """
    against = [one for one in link.evidence if one.direction == "contradicts"]
    support = [one for one in link.evidence if one.direction == "supports"]
    outside = [one for one in support if one.independence != "programme"]
    if any(one.test in ELIMINATING for one in against) or (against and not outside):
        return LinkVerdict.CONTRADICTED
    if not support:
        return LinkVerdict.NOT_EVIDENCED
    if not outside:
        return LinkVerdict.ASSERTED
    if against:
        return LinkVerdict.MIXED
    passed = {one.test for one in outside if one.independence == "independent" and one.test in CONFIRMING}
    if not passed:
        return LinkVerdict.SUGGESTED
    return LinkVerdict.SUPPORTED if _is_without_rival(link, passed) else LinkVerdict.RIVAL


def _is_without_rival(link: Link, passed: Collection[str]) -> bool:
    return all(one.is_excluded for one in link.rivals) and (bool(link.rivals) or "doubly decisive" in passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The best evidenced chain to an outcome: its nodes from where it begins, and the verdict on its weakest link.

    `weakest` is that link by its two nodes; verdicts of assumptions behind a node on the chain count as links of it.
    """

    nodes: tuple[str, ...]
    verdict: LinkVerdict
    weakest: tuple[str, str]


def chains(options: ContributionOptions, verdicts: Mapping[tuple[str, str], LinkVerdict]) -> dict[str, Chain | None]:
    """Return for each outcome the chain whose weakest link is strongest, None where no chain arrives there.

    Chains begin at inputs, activities and partners into which none of those leads, and go through no feedback.
    """
    types = {one.id: one.type for one in options.nodes}
    forward = [one.between for one in options.links if not one.feedback]
    order = TopologicalSorter({one.id: {a for a, b in forward if b == one.id} for one in options.nodes}).static_order()
    best: dict[str, Chain] = {}
    for node in order:
        inward = [pair for pair in forward if pair[1] == node]
        steps = [pair for pair in inward if types[pair[0]] not in ("assumption", "context")]
        if not steps and types[node] in STARTS:
            assumed = [(verdicts[pair], pair) for pair in inward if types[pair[0]] == "assumption"]
            verdict, weakest = min(assumed, default=(LinkVerdict.SUPPORTED, (node, node)))
            best[node] = Chain(nodes=(node,), verdict=verdict, weakest=weakest)
            continue
        held = [(verdicts[pair], pair) for pair in inward if types[pair[0]] == "assumption"]
        arriving = [_longer(best[pair[0]], pair, verdicts[pair], held) for pair in steps if pair[0] in best]
        if arriving:
            best[node] = max(arriving, key=lambda one: one.verdict)
    return {one.id: best.get(one.id) for one in options.of_type("outcome")}


def _longer(
    chain: Chain, pair: tuple[str, str], verdict: LinkVerdict, held: list[tuple[LinkVerdict, tuple[str, str]]]
) -> Chain:
    weakest = min((chain.verdict, chain.weakest), (verdict, pair), *held, key=lambda one: one[0])
    return Chain(nodes=(*chain.nodes, pair[1]), verdict=weakest[0], weakest=weakest[1])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContributionFindings(Shown):
    """The verdict on every link, and the best evidenced chain to every outcome."""

    options: ContributionOptions
    verdicts: Mapping[tuple[str, str], LinkVerdict]
    chains: Mapping[str, Chain | None]

    def __repr__(self) -> str:
        return f"Verdicts on {counted(len(self.verdicts), 'link')} and {counted(len(self.chains), 'outcome')}"

    def n_of(self, verdict: LinkVerdict) -> int:
        """Return how many links have a verdict."""
        return sum(one == verdict for one in self.verdicts.values())

    def record(self) -> dict[str, object]:
        """Return the verdicts as plain data, for results.json."""
        return {
            "links": [{"from": a, "to": b, "verdict": one.words} for (a, b), one in self.verdicts.items()],
            "chains": [
                {"outcome": name, "nodes": list(one.nodes), "verdict": one.verdict.words}
                if one
                else {"outcome": name, "nodes": [], "verdict": "no chain arrives there"}
                for name, one in self.chains.items()
            ],
        }


def contribution_findings(options: ContributionOptions) -> ContributionFindings:
    """Return the verdict on every link of a theory, and the best evidenced chain to every outcome."""
    verdicts = {link.between: link_verdict(link) for link in options.links}
    return ContributionFindings(options=options, verdicts=verdicts, chains=chains(options, verdicts))


def findings_of(found: ContributionFindings) -> tuple[Finding, ...]:
    """Return what a reader must know of the evidence: what is supported, and where it is missing or against."""
    n, supported = len(found.verdicts), found.n_of(LinkVerdict.SUPPORTED)
    bare = found.n_of(LinkVerdict.NOT_EVIDENCED)
    own = found.n_of(LinkVerdict.ASSERTED)
    against = found.n_of(LinkVerdict.CONTRADICTED)
    return (
        statement("links_supported", float(supported), f"Supported by independent evidence: {supported} of {n} links."),
        _gap("links_not_evidenced", bare, f"Without evidence for or against: {bare} of {n} links."),
        _gap("links_asserted", own, f"Asserted by the programme alone: {own} of {n} links."),
        _gap("links_contradicted", against, f"Contradicted: {against} of {n} links.", Verdict.SERIOUS),
    )


def _gap(name: str, n: int, sentence: str, verdict: Verdict = Verdict.CAUTION) -> Finding:
    return design_fact(name, verdict if n else Verdict.REASSURING, float(n), sentence)
