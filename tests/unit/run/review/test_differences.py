"""Two makings of the same outputs: to the byte, number by number, effect by effect."""

import hashlib
import json
import math

import pytest

from evalkit.run.review.differences import apart, leaves, moved_effects, output_differences, share_apart
from evalkit.run.review.finished import FinishedRun


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        (2.0, 2.0, 0.0),
        (2.0, 2.5, 0.2),  # 0.5 of 2.5
        (-1.0, 1.0, 2.0),
        (1.0, 1.0 + 4e-10, 4e-10),
        (1e-15, -1e-15, 0.0),  # what arithmetic leaves of zero
        (None, None, 0.0),
        (None, 1.0, math.inf),
    ],
)
def test_how_far_two_numbers_are_apart(one, other, share):
    assert share_apart(one, other) == pytest.approx(share, rel=1e-6)


def test_cells_are_compared_by_their_place():
    before, now = dict(leaves({"a": [1, 2.0], "b": "x", "c": True}, "")), dict(leaves({"a": [1, 3], "b": "y"}, ""))
    found = apart(before, now)
    assert (found.n_numbers, found.where, found.n_others) == (1, "a[2]", 2)
    assert found.largest == pytest.approx(1 / 3)
    assert not found.is_same
    assert apart({"a": 1.0}, {"a": 1.0 + 1e-12}).is_same


def results(**numbers):
    effect = {
        "outcome": "READ",
        "design": "neighbours",
        "period": "post",
        "inference": "permutation",
        "cluster_level": "local_authority",
        "main": True,
        "estimate": 1.0,
        "std_error": {"unavailable": "None."},
        "interval": {"lower": 0.5, "upper": 1.5, "level": 0.95},
        "p_value": 0.04,
    }
    beside = {**effect, "design": "region", "main": False, "estimate": 2.0}
    return {"analyses": [{"name": "main", "effects": [beside, {**effect, **numbers}]}]}


def test_effects_that_moved_are_named_with_their_numbers():
    now = results(estimate=1.25, interval={"lower": 0.5, "upper": 1.75, "level": 0.95}, p_value={"unavailable": "No."})
    found = moved_effects(results(), now)
    assert [(one.outcome, one.design, one.number, one.before, one.now) for one in found] == [
        ("READ", "neighbours", "estimate", 1.0, 1.25),
        ("READ", "neighbours", "interval.upper", 1.5, 1.75),
        ("READ", "neighbours", "p_value", 0.04, None),
    ]
    assert found[0].is_main
    assert found[0].share == pytest.approx(0.2)
    assert moved_effects(results(), results(estimate=1.0 + 1e-11)) == ()


def test_what_a_pack_does_not_tell_is_not_compared():
    withheld = results(p_value={"unavailable": "Withheld."})
    assert len(moved_effects(withheld, results())) == 1
    assert moved_effects(withheld, results(), only_told=True) == ()


def test_the_order_of_effects_in_the_file_does_not_count():
    turned = results()
    turned["analyses"][0]["effects"].reverse()
    assert moved_effects(results(), turned) == ()


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_outputs_are_compared_file_by_file(tmp_path):
    for name, scores in (("then", "a,1\nb,2\n"), ("now", "a,1.0000000000001\nb,4\n")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "table.csv").write_text(scores)
        (folder / "same.csv").write_text("a,1\n")
        (folder / "report.html").write_text(name)
        (folder / "results.json").write_text(json.dumps({"n": 1 if name == "then" else 1.0000000000002}))
    (tmp_path / "then" / "left.csv").write_text("")
    (tmp_path / "now" / "more.csv").write_text("")
    manifest = {"slug": "x", "outputs": hashes(tmp_path / "then")}
    run = FinishedRun(named="x", folder=tmp_path / "then", manifest=manifest)
    found = {one.name: one for one in output_differences(run, tmp_path / "now", hashes(tmp_path / "now"))}
    assert {name: one.state for name, one in found.items()} == {
        "table.csv": "numbers",
        "report.html": "drawn",
        "results.json": "numbers",
        "left.csv": "gone",
        "more.csv": "new",
    }
    assert found["results.json"].is_within
    assert found["table.csv"].apart.where == "row 1, column 2"  # rows are counted below the header
    assert found["table.csv"].apart.largest == pytest.approx(0.5)
    assert not found["table.csv"].is_within
