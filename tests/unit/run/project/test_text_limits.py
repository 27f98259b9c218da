"""Texts that no report could carry are refused before anything is read, and those within the limits are not."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from evalkit.core.project import Claim, OwnBreak, Participants
from evalkit.core.project_parts import Author, ExplainedDeviation, OwnNotebook, Source
from evalkit.run.project.project_file import load_project
from evalkit.run.project.project_rules import MOST, MOST_OF_CLAIM, too_long, too_long_claim

PROJECT = load_project(Path(__file__).parents[4] / "data" / "projects" / "knowsley-ssif" / "project.yml")


def told(project):
    return [f"{complaint.place}: {complaint.text}" for complaint in too_long(project)]


def test_a_project_within_the_limits_has_no_complaint():
    assert told(PROJECT) == []
    assert told(replace(PROJECT, title="x " * 100)) == []


def test_a_long_title_is_measured():
    assert told(replace(PROJECT, title="Pathways " * 56)) == [
        "('title',): the text has 504 characters, and a report holds 200 there. Shorten it"
    ]


def test_a_long_word_is_measured_and_an_address_is_not():
    named = replace(PROJECT.programme, aim="x" * 61, funder="see https://example.org/" + "x" * 100)
    assert told(replace(PROJECT, programme=named)) == [
        "('programme', 'aim'): 'xxxxxxxxxxxxxxxxxxxx…' has 61 characters without a blank, and a line holds 60. Part it"
    ]


def test_the_place_stands_beside_lines_of_figures():
    assert len(told(replace(PROJECT, programme=replace(PROJECT.programme, place="W" * 26)))) == 1
    assert len(told(replace(PROJECT, programme=replace(PROJECT.programme, place="Knowsley " * 5)))) == 1


def test_texts_in_lists_and_under_keys_left_out_are_gone_through():
    sources = (Source(title="a"), Source(title="b " * 151))
    one = replace(PROJECT, programme=replace(PROJECT.programme, sources=sources), cost=None)
    assert [complaint.place for complaint in too_long(one)] == [("programme", "sources", 1, "title")]


@pytest.mark.parametrize("key", MOST_OF_CLAIM)
def test_each_text_of_a_claim_is_measured(key):
    claim = replace(Claim(quote="a", part="b", source="c"), **{key: "ab " * 400})
    assert [complaint.place for complaint in too_long_claim(0, claim)] == [(0, key)]


def test_every_text_that_reports_print_has_a_limit():
    """A new key of text gets a limit, or a reason here why it needs none."""
    codes = {
        "slug",
        "measure",
        "minus",
        "role",
        "table",
        "column",
        "neighbours",
        "alternative_neighbours",
        "weights",
        "base",
    }
    codes |= {"statistic", "months_table", "file", "claims", "reference_document", "folder", "after", "by", "borders"}
    kinds = [PROJECT, *(getattr(PROJECT, field.name) for field in fields(PROJECT))]
    kinds += [PROJECT.programme.sources[0], PROJECT.contamination[0], Participants(file="a.csv")]
    kinds += [PROJECT.outcomes[0], Author(name="A"), OwnNotebook(file="a.ipynb", title="T")]
    kinds += [OwnBreak(before=1, after=2, sentence="s"), ExplainedDeviation(field="f", reason="r")]
    texts = {
        field.name for kind in kinds if is_dataclass(kind) for field in fields(kind)
        if str(field.type).split(" |")[0] in ("str", "NeighbourList", "Role")
    }  # fmt: skip
    assert texts - codes == {keys[-1] for keys in MOST}
