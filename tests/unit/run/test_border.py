"""What the commands print and write of people, and of names that are commands or formulas."""

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from evalkit.core.disclosure import CONTAINS_PEOPLE
from evalkit.core.words import cleaned
from evalkit.run.cli import main
from tests.match_command import run_match

HOSTILE = "=cmd\x1b[31m\u202e"


def case(shared, name):
    path = shared / "cases" / "disclosure" / name
    if not path.exists():
        pytest.skip(f"needs ../shared/cases/disclosure/{name}, which is not on this machine")
    return path


def test_three_pupils_are_told_of_nowhere(shared, tmp_path):
    """3 of 4 treated pupils are matched with 3 of 116: neither they nor anything that rests on them is told."""
    path = case(shared, "few_people.csv")
    asked = (
        "--treated",
        "t",
        "--on",
        "a,b",
        "--id",
        "upn",
        "--outcome",
        "y",
        "--people",
        "--common-support",
        "treated",
    )
    printed = run_match(path, *asked, "--out", str(tmp_path / "x.html")).out
    record = json.loads(run_match(path, *asked, "--json", "--out", str(tmp_path / "x.docx")).out)
    assert record["n"]["comparison"] == 116
    assert all("unavailable" in value for key, value in record["n"].items() if key != "comparison")
    for name in ("effect", "balance", "sensitivity", "score_balance", "total_distance"):
        assert "unavailable" in record[name], name
    with zipfile.ZipFile(tmp_path / "x.docx") as archive:
        word = re.sub(r"<[^>]+>", " ", archive.read("word/document.xml").decode())
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", page, flags=re.S))
    for text in (printed, word, shown):
        assert not re.search(r"\b[1-9] (of|treated|comparison|units?)\b", text)
        assert "A80000" not in text  # ids of pupils are in the files that list pupils alone
        assert "116" in text


def test_files_that_list_people_say_so(tmp_path):
    frame = pd.DataFrame({"id": range(60), "t": [1, 0, 0] * 20, "x": np.random.default_rng(1).normal(size=60)})
    frame.to_csv(tmp_path / "in.csv", index=False)
    asked = ("--treated", "t", "--on", "x", "--id", "id")
    for more, says in ((("--people",), True), ((), False)):
        run = run_match(tmp_path / "in.csv", *asked, *more, "--json", "--out", str(tmp_path / "out.csv"))
        written = pd.read_csv(tmp_path / "out.csv")
        record = json.loads(run.out)
        assert (list(record)[-1] == "contains_people") == says
        assert (written.columns[-1] == "contains_people") == says
        if says:
            assert set(written["contains_people"]) == {record["contains_people"]} == {CONTAINS_PEOPLE}


def test_a_covariate_that_few_people_have_has_no_row(tmp_path):
    """Of 40 treated 4 have it: the mean, 0.1, is a count of 4."""
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"id": range(200), "t": np.arange(200) < 40, "x": random.normal(size=200)})
    frame = frame.assign(
        t=frame["t"].astype(int), rare=(np.arange(200) % 10 == 0).astype(int), y=random.normal(size=200)
    )
    frame.to_csv(tmp_path / "in.csv", index=False)
    asked = ("--treated", "t", "--on", "x,rare", "--id", "id", "--outcome", "y", "--people")
    record = json.loads(run_match(tmp_path / "in.csv", *asked, "--json").out)
    assert record["withheld_covariates"] == ["rare"]
    assert [row["covariate"] for row in record["balance"]] == ["x"]
    assert "Of rare nothing is shown" in run_match(tmp_path / "in.csv", *asked).out
    assert isinstance(record["effect"]["estimate"], float)


@pytest.mark.parametrize("more", [(), ("--categories", "fsm_n")])
def test_similar_says_the_same_whatever_a_small_count_is(shared, tmp_path, capsys, more):
    frame = pd.read_csv(case(shared, "similar_pupils.csv"))
    assert (frame["fsm_n"] == 3).sum() == 1
    told = []
    for small in (0, 3, 5):
        frame.assign(fsm_n=frame["fsm_n"].where(frame["fsm_n"] != 3, small)).to_csv(tmp_path / "in.csv", index=False)
        asked = ["--id", "urn", "--on", "fsm_n,roll,pct", "--pupils", "fsm_n", "--for", "100000", "--n", "100", *more]
        for how in (["--json"], [], ["--out", str(tmp_path / "out.csv")]):
            assert main(["similar", str(tmp_path / "in.csv"), *asked, *how]) == 0
        told.append((capsys.readouterr().out, (tmp_path / "out.csv").read_text()))
    assert told[0] == told[1] == told[2]


def test_names_that_are_commands_or_formulas_are_words(tmp_path):
    frame = pd.DataFrame({"id": [f"{HOSTILE}{at}" for at in range(60)], "t": [1, 0, 0] * 20})
    frame = frame.assign(**{HOSTILE: np.random.default_rng(1).normal(size=60)})
    frame.to_csv(tmp_path / "in.csv", index=False)
    asked = ("--treated", "t", "--on", HOSTILE, "--id", "id", "--caliper", "0.01")
    for how in (("--out", str(tmp_path / "out.csv")), ("--out", str(tmp_path / "out.html")), ("--json",)):
        run = run_match(tmp_path / "in.csv", *asked, *how)
        assert cleaned(run.out) == run.out
        assert cleaned(run.err) == run.err
    record = json.loads(run.out)
    assert record["covariates"] == [HOSTILE]  # as values JSON keeps them
    written = (tmp_path / "out.csv").read_text()
    assert cleaned(written) == written
    assert all(line.startswith("'=cmd") for line in written.splitlines()[1:])
    page = (tmp_path / "out.html").read_text()
    assert cleaned(page) == page
