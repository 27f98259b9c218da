"""Theories of change: verdicts by hand, what never raises or lowers them, chains, faults told at once, the report."""

import json
from dataclasses import replace
from itertools import permutations, product

import pytest

from evalkit.core.errors import ProjectError
from evalkit.design.kinds.contribution import (
    ContributionOptions,
    Evidence,
    Link,
    Node,
    Rival,
    StatusCell,
    theory_faults,
)
from evalkit.diagnose.kinds.contribution import LinkVerdict, chains, contribution_findings, link_verdict
from evalkit.report.figures.contribution import node_rows
from evalkit.report.kinds.contribution import story
from evalkit.run.console import Progress
from evalkit.run.kinds.registry import KINDS
from evalkit.run.notebooks.session import no_files_folder
from evalkit.run.project.project_file import load_project
from evalkit.run.project.runner import Request, run_project

TESTS = ("straw in the wind", "hoop", "smoking gun", "doubly decisive")
WHO = ("programme", "commissioned", "independent")
DIRECTIONS = ("supports", "contradicts", "neutral")


def item(direction="supports", test="smoking gun", independence="independent"):
    return Evidence(says="Seen.", source="Report, p. 1", direction=direction, test=test, independence=independence)


def rival(outcome="excluded", independence="independent"):
    return Rival(name="Another", test="Seen elsewhere", outcome=outcome, source="Report", independence=independence)


def link(*evidence, rivals=(), between=("a", "b"), feedback=False):
    return Link(between=between, evidence=evidence, rivals=rivals, feedback=feedback)


EVERY_ITEM = tuple(item(*one) for one in product(DIRECTIONS, TESTS, WHO))
RIVALS = ((), (rival(),), (rival("not excluded"),), (rival(), rival("not tested")), (rival(independence="programme"),))


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (link(), "not evidenced"),
        (link(item("neutral")), "not evidenced"),
        (link(item(independence="programme", test="doubly decisive")), "asserted by the programme alone"),
        (link(item(test="hoop")), "suggested, not confirmed independently"),
        (link(item(independence="commissioned")), "suggested, not confirmed independently"),
        (link(item()), "confirmed, a rival not excluded"),  # none was named
        (link(item(), rivals=(rival("not tested"),)), "confirmed, a rival not excluded"),
        (link(item(), rivals=(rival(independence="programme"),)), "confirmed, a rival not excluded"),
        (link(item(), rivals=(rival(),)), "supported by independent evidence"),
        (link(item(test="doubly decisive")), "supported by independent evidence"),
        (link(item(test="doubly decisive"), rivals=(rival("not excluded"),)), "confirmed, a rival not excluded"),
        (link(item(), item("contradicts", "straw in the wind"), rivals=(rival(),)), "evidence points both ways"),
        (link(item(), item("contradicts", "hoop"), rivals=(rival(),)), "contradicted"),
        (link(item(independence="programme"), item("contradicts", "straw in the wind")), "contradicted"),
        (link(item("contradicts", "smoking gun")), "contradicted"),
    ],
)
def test_each_rule_by_hand(made, verdict):
    assert link_verdict(made).words == verdict


PAIRS = list(product(EVERY_ITEM, EVERY_ITEM, RIVALS))


def test_support_never_lowers_contradiction_never_raises_and_the_programme_alone_never_supports():
    for one, other, rivals in PAIRS:
        before = link_verdict(link(one, other, rivals=rivals))
        for test, who in product(TESTS, WHO):
            after = link_verdict(link(one, other, item("supports", test, who), rivals=rivals))
            assert after >= before
            if who == "programme":
                assert after in (before, LinkVerdict.ASSERTED)
        against = item("contradicts", "straw in the wind")
        assert link_verdict(link(one, other, against, rivals=rivals)) <= before
    own = [one for one in EVERY_ITEM if one.independence == "programme"]
    assert max(link_verdict(link(a, b, rivals=r)) for a, b, r in product(own, own, RIVALS)) == LinkVerdict.ASSERTED


def test_the_order_of_evidence_and_rivals_does_not_matter():
    evidence = (item(), item("contradicts", "straw in the wind"), item(test="hoop", independence="programme"))
    rivals = (rival(), rival("not excluded"))
    found = {
        link_verdict(link(*some, rivals=others)) for some in permutations(evidence) for others in permutations(rivals)
    }
    assert found == {LinkVerdict.MIXED}


# Chains.


def theory(*links, **types):
    nodes = tuple(Node(id=name, type=kind, label=f"Node {name}") for name, kind in types.items())
    return ContributionOptions(nodes=nodes, links=links)


SUPPORTED = (item(test="doubly decisive"),)


def test_a_chain_is_as_strong_as_its_weakest_link_and_the_best_is_taken():
    # to d by b: supported, then asserted; by c: suggested, then supported. The second one's weakest (4) beats 2.
    made = theory(
        link(*SUPPORTED, between=("a", "b")),
        link(item(independence="programme"), between=("b", "d")),
        link(item(test="hoop"), between=("a", "c")),
        link(*SUPPORTED, between=("c", "d")),
        link(between=("d", "a"), feedback=True),
        a="input", b="activity", c="activity", d="outcome", e="outcome",
    )  # fmt: skip
    found = contribution_findings(made)
    assert found.chains["d"].nodes == ("a", "c", "d")
    assert (found.chains["d"].verdict, found.chains["d"].weakest) == (LinkVerdict.SUGGESTED, ("a", "c"))
    assert found.chains["e"] is None
    told = story(found)
    assert "suggests every link" in told[0]
    assert "no chain of the theory arrives" in told[1]


def test_an_assumption_that_is_not_evidenced_weakens_the_chain_and_begins_none():
    made = theory(
        link(*SUPPORTED, between=("a", "b")), link(between=("s", "b")), a="activity", b="outcome", s="assumption"
    )
    assert contribution_findings(made).chains["b"].weakest == ("s", "b")
    alone = theory(link(*SUPPORTED, between=("s", "b")), b="outcome", s="assumption")
    assert contribution_findings(alone).chains == {"b": None}


def test_raising_a_link_never_lowers_a_chain():
    made = theory(
        link(between=("a", "b")), link(between=("b", "d")), link(between=("a", "d")), link(between=("s", "b")),
        a="input", b="activity", s="assumption", d="outcome",
    )  # fmt: skip
    pairs = [one.between for one in made.links]
    for some in product((1, 3, 6), repeat=4):
        verdicts = dict(zip(pairs, map(LinkVerdict, some), strict=True))
        by_b, straight = min(some[0], some[1], some[3]), some[2]
        assert chains(made, verdicts)["d"].verdict == max(by_b, straight)


@pytest.mark.parametrize("verdict", list(LinkVerdict))
def test_no_sentence_of_the_story_puts_a_change_down_to_the_programme(verdict):
    made = theory(link(between=("a", "b")), a="activity", b="outcome")
    found = contribution_findings(made)
    one = replace(found.chains["b"], verdict=verdict)
    (told,) = story(replace(found, chains={"b": one}))
    assert not any(word in told for word in ("caused", "led to", "due to", "because of", "impact"))
    assert ("consistent with a contribution" in told) == (verdict == LinkVerdict.SUPPORTED)


def test_every_link_but_feedback_is_drawn_downwards_and_at_most_four_in_a_row():
    partners = {f"p{i}": "partner" for i in range(9)}
    made = theory(
        *(link(between=(name, "a")) for name in partners), link(between=("a", "o")),
        link(between=("o", "a"), feedback=True), **partners, a="activity", o="outcome",
    )  # fmt: skip
    rows = node_rows(made)
    assert [len(row) for row in rows] == [4, 3, 2, 1, 1]
    assert sorted(name for row in rows for name in row) == sorted([*partners, "a", "o"])


# What is wrong with a file.


def test_every_fault_is_told_with_its_place():
    bad = Evidence(says="Seen.", source="", date="May", direction="supports", test="hoop", independence="programme")
    made = theory(
        link(bad, between=("a", "b")),
        link(between=("b", "a")),
        link(between=("a", "zz"), rivals=(Rival(name="R", test="T", outcome="excluded"),)),
        a="input", b="outcome",
    )  # fmt: skip
    made = replace(made, matrix=(StatusCell(objective="a", partner="b", status="done", source="Report"),))
    places = {place for place, _ in theory_faults(made)}
    assert places == {
        ("links", 0, "evidence", 0, "source"),
        ("links", 0, "evidence", 0, "date"),
        ("links", 0, "between"),
        ("links", 1, "between"),
        ("links", 2, "between"),
        ("links", 2, "rivals", 0, "source"),
        ("matrix", 0, "objective"),
        ("matrix", 0, "partner"),
    }
    marked = replace(made, links=(replace(made.links[0]), replace(made.links[1], feedback=True)))
    assert not any("cycle" in text for _, text in theory_faults(marked))


FILE = """\
schema_version: 2
slug: zone
title: A zone of partners
question: How far does the evidence carry the theory?
programme:
  {name: The zone, place: Elsewhere, funder: A fund, aim: to change teaching, start: 2007-09-01, end: 2009-08-31}
analyses:
  - name: main
    kind: contribution
    primary: true
    nodes:
      - {id: agency, type: partner, label: The agency}
      - {id: training, type: activity, label: Training had an impact}
      - {id: results, type: outcome, label: Results}
    links:
      - between: [agency, training]
        evidence:
          - {says: It was held., source: "Report, p. 2", direction: supports, test: hoop, independence: programme}
      - between: [training, results]
        rivals: [{name: A strategy, test: Seen elsewhere}]
    matrix: [{objective: results, partner: agency, status: under way, source: "Report, p. 3"}]
"""


@pytest.fixture
def project_file(tmp_path):
    folder = tmp_path / "data" / "projects" / "zone"
    folder.mkdir(parents=True)
    (folder / "project.yml").write_text(FILE, encoding="utf-8")
    return folder / "project.yml"


def test_the_kind_runs_whole_and_its_plan_holds_no_evidence(project_file, tmp_path):
    assert "contribution" in KINDS
    out = run_project(Request(project_file, no_files_folder(), tmp_path / "out"), Progress())
    (only,) = json.loads((out / "results.json").read_text(encoding="utf-8"))["analyses"]
    assert only["effects"] == []
    assert [one["verdict"] for one in only["contribution"]["links"]] == [
        "asserted by the programme alone",
        "not evidenced",
    ]
    assert only["contribution"]["chains"][0]["verdict"] == "not evidenced"
    plan = json.loads((out / "design.json").read_text(encoding="utf-8"))["analyses"]["main"]
    assert "A strategy; seen if so: Seen elsewhere" in json.dumps(plan)
    assert "It was held" not in json.dumps(plan)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Of 2 links in the theory of change, 0 are supported by independent evidence; 2 are" in page
    matrix = (out / "tables" / "contribution_matrix.csv").read_text(encoding="utf-8")
    assert "under way" in matrix


def test_a_node_that_is_not_there_is_told_with_its_line(project_file):
    project_file.write_text(FILE.replace("[training, results]", "[training, nowhere]"), encoding="utf-8")
    with pytest.raises(ProjectError, match=r"between.*\(line 19\): there is no node 'nowhere'"):
        load_project(project_file)


def test_a_strength_that_is_none_of_the_rubric_is_refused(project_file):
    project_file.write_text(FILE.replace("test: hoop", "test: strong"), encoding="utf-8")
    with pytest.raises(ProjectError, match="expected 'straw in the wind', 'hoop'"):
        load_project(project_file)
