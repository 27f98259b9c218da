"""Two runs set side by side: the shape of the answer, what cannot be crossed, and what remains."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from evalkit.core.errors import InputError
from evalkit.report.documents.html import report_html
from evalkit.report.documents.terminal import terminal_text
from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import given_of
from evalkit.run.console import Progress
from evalkit.run.project.project_file import load_project, project_data
from evalkit.run.review import code_crossing
from evalkit.run.review.again import Remade
from evalkit.run.review.compare import comparison
from evalkit.run.review.compare_page import _csv, compare_document, comparison_record
from evalkit.run.review.crossing import Crosser, Numbers, file_block
from evalkit.run.review.finished import FinishedRun
from tests.conftest import ROOT

KNOWSLEY = project_data(load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"))
KEY = ("main", "READPROG")


def run_of(folder, estimate, **changes):
    """Return a run with one effect; `changes` are of its manifest."""
    effect = {"outcome": "READPROG", "design": "neighbours", "period": "post", "inference": "permutation"}
    effect |= {"cluster_level": "local_authority", "main": True, "estimate": estimate, "p_value": 0.1}
    effect |= {"interval": {"lower": estimate - 1, "upper": estimate + 1}, "n_treated": 49, "n_comparison": 500}
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps({"analyses": [{"name": "main", "effects": [effect]}]}))
    manifest = {
        "slug": "knowsley-ssif",
        "data_kind": "real",
        "inputs": [],
        "outputs": {},
        "parameters": KNOWSLEY,
        "versions": {"numpy": "2.4.6"},
        "commit": "a",
    }
    return FinishedRun(named=str(folder), folder=folder, manifest={**manifest, **changes})


def with_choices(**groups):
    return {**KNOWSLEY, **{name: {**KNOWSLEY[name], **changes} for name, changes in groups.items()}}


@pytest.fixture
def crossed(monkeypatch):
    """Have crossings answered by a table from the blocks that come from B to the estimate, or to why there is none."""

    def use(values):
        def answer(self, of_b):
            value = values[tuple(sorted(of_b))]
            if isinstance(value, str):
                return value
            return {KEY: Numbers(estimate=value, lower=value - 1, upper=value + 1, p_value=0.1)}

        monkeypatch.setattr(Crosser, "values", answer)

    return use


def compared(a, b, tmp_path, **asked):
    scratch = Path(mkdtemp(dir=tmp_path))
    return comparison(a, b, None, scratch, Progress(is_quiet=True), **asked)


def test_two_identical_runs_are_one_line(tmp_path):
    found = compared(run_of(tmp_path / "a", 1.0), run_of(tmp_path / "b", 1.0), tmp_path)
    assert found.is_same
    assert len(terminal_text(compare_document(found)).strip().splitlines()) == 1
    record = comparison_record(found)
    assert (record["same"], record["blocks"]) == (True, [])


def test_the_difference_is_shared_out_and_what_remains_is_told(tmp_path, crossed):
    """v() = 1, v(comparison) = 1.2, v(inference) = 1.1, v(both) = 1.5; B recorded 1.6.

    comparison: ½[(1.2 − 1) + (1.5 − 1.1)] = 0.3; inference: ½[(1.1 − 1) + (1.5 − 1.2)] = 0.2; what remains:
    0.6 − 0.5 = 0.1.
    """
    crossed({(): 1.0, ("comparison",): 1.2, ("inference",): 1.1, ("comparison", "inference"): 1.5})
    choices = with_choices(pool={"neighbours": "may_2025"}, inference={"level": 0.9})
    a, b = run_of(tmp_path / "a", 1.0), run_of(tmp_path / "b", 1.6, parameters=choices, commit="b")
    found = compared(a, b, tmp_path)
    record = comparison_record(found)
    assert [one["block"] for one in record["blocks"]] == ["code", "comparison", "inference"]
    assert [one["fields"] for one in record["blocks"]] == [
        ["commit of the kit"],
        ["pool.neighbours"],
        ["inference.level"],
    ]
    effect = record["blocks"][1]["effects"][0]
    assert {key: effect[key] for key in ("analysis", "outcome", "a", "b")} == dict(
        zip(("analysis", "outcome", "a", "b"), (*KEY, 1.0, 1.6), strict=True)
    )
    assert effect["difference"] == pytest.approx(0.3)
    assert (effect["first_in"], effect["last_in"]) == pytest.approx((0.2, 0.4))
    assert record["blocks"][2]["effects"][0]["difference"] == pytest.approx(0.2)
    assert record["remainder"][0]["difference"] == pytest.approx(0.1)
    assert not record["same"]
    text = terminal_text(compare_document(found))
    assert "code and packages (what remains) 0.100" in text
    assert "Each block" in report_html(compare_document(found))
    assert "main,READPROG,1.0,1.6,remainder," in _csv(found)
    json.dumps(record, allow_nan=False)


def test_code_is_crossed_in_environments_of_its_own(tmp_path, crossed, monkeypatch):
    """A 1, B 1.6; A with B's code 1.1, B with A's code 1.4: code first 0.1, last 0.2, share 0.15.

    The list of neighbours has 1.4 − 1 = 0.4 by the kit that is here, so that 0.6 − 0.4 − 0.15 = 0.05 remains.
    """
    crossed({(): 1.0, ("comparison",): 1.4})
    made = {"a": run_of(tmp_path / "a-with-b", 1.1), "b": run_of(tmp_path / "b-with-a", 1.4)}
    monkeypatch.setattr(code_crossing, "kit_afresh", lambda run, place, progress: Path(run.named).name)
    monkeypatch.setattr(code_crossing, "lay_out", lambda run, found, place: None)

    def make_again(run, space, kit, progress):
        name = Path(run.named).name
        assert kit == {"a": "b", "b": "a"}[name]
        return Remade(folder=made[name].folder)

    monkeypatch.setattr(code_crossing, "make_again", make_again)
    choices = with_choices(pool={"neighbours": "may_2025"})
    b = run_of(tmp_path / "b", 1.6, parameters=choices, commit="b")
    found = compared(run_of(tmp_path / "a", 1.0), b, tmp_path, is_fresh=True)
    assert [one.name for one in found.blocks] == ["code", "comparison"]
    share = found.blocks[0].effects[0].estimate
    assert (share.share, share.first_in, share.last_in) == pytest.approx((0.15, 0.1, 0.2))
    assert share.depends_on_order
    assert found.effects[0].remainder == pytest.approx(0.05)
    monkeypatch.setattr(code_crossing, "make_again", lambda *given: Remade(folder=None, failure="no memory"))
    found = compared(run_of(tmp_path / "a2", 1.0), b, tmp_path, is_fresh=True)
    assert found.effects[0].remainder == pytest.approx(0.2)
    assert "A could not be run with the other's. no memory" in found.notes[-1]


def test_a_block_that_makes_it_all_is_said_to(tmp_path, crossed):
    crossed({(): 1.0, ("comparison",): 1.4})
    b = run_of(tmp_path / "b", 1.4, parameters=with_choices(pool={"neighbours": "may_2025"}))
    found = compared(run_of(tmp_path / "a", 1.0), b, tmp_path)
    assert "comparison alone makes the difference of 0.400" in terminal_text(compare_document(found))
    assert found.effects[0].remainder == 0.0


def test_blocks_that_cannot_be_run_apart_are_told_together(tmp_path, crossed):
    why = "the years are missing"
    crossed({(): 1.0, ("comparison",): why, ("inference",): why, ("comparison", "inference"): 1.5})
    choices = with_choices(pool={"neighbours": "may_2025"}, inference={"level": 0.9})
    found = compared(run_of(tmp_path / "a", 1.0), run_of(tmp_path / "b", 1.5, parameters=choices), tmp_path)
    assert [one.name for one in found.blocks] == ["comparison and inference"]
    assert found.blocks[0].effects[0].estimate.share == pytest.approx(0.5)
    assert why in found.notes[0]


def test_runs_that_cannot_be_evaluated_here_are_listed_and_not_attributed(tmp_path, crossed):
    crossed({(): "no file", ("comparison",): 1.5})
    choices = with_choices(pool={"neighbours": "may_2025"})
    found = compared(run_of(tmp_path / "a", 1.0), run_of(tmp_path / "b", 1.5, parameters=choices), tmp_path)
    assert found.blocks[0].effects == ()
    assert found.effects[0].remainder == pytest.approx(0.5)
    assert "Nothing is attributed: A cannot be evaluated here. no file" in found.notes[0]


def test_words_alone_move_nothing_and_are_not_run(tmp_path, crossed):
    crossed({})
    b = run_of(tmp_path / "b", 1.0, parameters={**KNOWSLEY, "title": "Another"})
    found = compared(run_of(tmp_path / "a", 1.0), b, tmp_path)
    assert not found.is_same
    assert [(one.name, one.effects) for one in found.blocks] == [("words", ())]


def test_results_that_were_changed_by_hand_are_told(tmp_path):
    a = run_of(tmp_path / "a", 1.0, outputs={"results.json": "0" * 64})
    assert "results.json of A is not as its run left it" in compared(a, run_of(tmp_path / "b", 1.0), tmp_path).notes[0]


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("data/panel.csv", "data"),
        ("project/list.csv", "sample"),
        ("project/pupils.csv", "data"),
        ("project/measures.yml", "outcome and years"),
        ("project/claims.yml", "words"),
    ],
)
def test_files_belong_to_blocks_too(path, block):
    parameters = {"participants": {"file": "list.csv"}, "data": {"tables": {"pupils": {"file": "pupils.csv"}}}}
    assert file_block(path, parameters) == block


def test_a_run_is_not_compared_with_itself():
    with pytest.raises(InputError, match="one and the same"):
        given_of("compare", COMMANDS["compare"], ["mine", "mine"])


def test_the_numbers_of_a_block_are_those_of_every_crossing(tmp_path, crossed, monkeypatch):
    """Where one crossing gives no p-value, no part of the p-value is told; the estimate's is."""
    crossed({(): 1.0, ("comparison",): 1.4})
    answer = Crosser.values

    def without_p(self, of_b):
        return (
            {key: replace(one, p_value=None) for key, one in answer(self, of_b).items()} if of_b else answer(self, of_b)
        )

    monkeypatch.setattr(Crosser, "values", without_p)
    b = run_of(tmp_path / "b", 1.4, parameters=with_choices(pool={"neighbours": "may_2025"}))
    part = compared(run_of(tmp_path / "a", 1.0), b, tmp_path).blocks[0].effects[0]
    assert part.p_value is None
    assert part.estimate.share == pytest.approx(0.4)
