"""`evalkit similar` as its users meet it: lists, JSON, files, and one sentence for every slip."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from evalkit.run.cli import main

N = 60


@pytest.fixture
def table(tmp_path):
    draw = np.random.default_rng(9)
    frame = pd.DataFrame(
        {
            "urn": [str(100000 + at) for at in range(N)],
            "school": [f"School {at:02}" for at in range(N)],
            "phase": np.where(np.arange(N) % 3 == 0, "secondary", "primary"),
            "area": draw.choice(["Knowsley", "Halton", "Wirral"], N),
            "fsm": draw.normal(30, 10, N).round(1),
            "pupils": draw.integers(2, 400, N),
        }
    )
    frame.to_csv(tmp_path / "schools.csv", index=False)
    return tmp_path / "schools.csv"


def asked(table, *more):
    return ["similar", str(table), "--id", "urn", "--on", "fsm,pupils", *more]


def run(capsys, arguments):
    code = main(arguments)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_list_for_a_headteacher(table, capsys):
    code, out, _ = run(
        capsys, asked(table, "--name", "school", "--show", "area", "--same", "phase", "--for", "100004", "--n", "5")
    )
    assert code == 0
    lines = out.splitlines()
    assert lines[2] == "Most like School 04"
    assert lines[3].split() == ["Rank", "Id", "Name", "area", "fsm", "pupils", "How", "close", "Distance", "(SDs)"]
    assert lines[4].strip().startswith("this one  100004  School 04")
    assert [line.split()[0] for line in lines[5:10]] == ["1", "2", "3", "4", "5"]
    assert "Only units with the same phase (primary) are listed." in " ".join(out.split())


def test_json_is_the_same_list(table, capsys):
    code, out, _ = run(
        capsys,
        asked(
            table,
            "--name",
            "school",
            "--same",
            "phase",
            "--weight",
            "fsm=2",
            "--for",
            "School 04",
            "--n",
            "7",
            "--json",
        ),
    )
    record = json.loads(out)
    assert code == 0
    assert record["unit"] == "100004"
    assert record["own"]["name"] == "School 04"
    assert [one["rank"] for one in record["similar"]] == list(range(1, 8))
    assert set(record["similar"][0]) == {"rank", "id", "name", "fsm", "pupils", "closeness", "distance"}
    assert [one["weight"] for one in record["characteristics"]] == [2.0, 1.0]
    assert record["left_out"] == {"n_units": 0, "lacking": {}}
    frame = pd.read_csv(table, dtype={"urn": str}).set_index("urn")
    gaps = (frame[["fsm", "pupils"]] - frame.loc["100004", ["fsm", "pupils"]].astype(float)) / frame[
        ["fsm", "pupils"]
    ].std()
    far = np.sqrt((gaps**2 @ [2, 1]) / 3)[frame["phase"] == "primary"].drop("100004").sort_values()
    assert [one["id"] for one in record["similar"]] == far.index[:7].tolist()
    assert [one["distance"] for one in record["similar"]] == pytest.approx(far.iloc[:7].tolist(), abs=1e-9)


def test_files_of_one_list(table, capsys):
    for name in ("list.csv", "list.html"):
        out = table.with_name(name)
        assert run(capsys, asked(table, "--for", "100004", "--n", "3", "--out", str(out)))[0] == 0
    rows = list(csv.DictReader(io.StringIO(table.with_name("list.csv").read_text())))
    assert [row["rank"] for row in rows] == ["this one", "1", "2", "3"]
    page = table.with_name("list.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert '<th scope="col"' in page
    assert "Most like 100004" in page


def test_lists_of_all_units(table, capsys):
    out = table.with_name("all.csv")
    code, text, _ = run(capsys, asked(table, "--same", "phase", "--n", "4", "--out", str(out)))
    assert code == 0
    assert "for 60 units" in text
    frame = pd.read_csv(out, dtype=str)
    assert list(frame) == ["unit", "rank", "similar", "distance", "closeness"]
    assert len(frame) == 4 * N
    record = json.loads(run(capsys, asked(table, "--same", "phase", "--n", "4", "--json"))[1])
    assert [one["id"] for one in record["lists"][0]["similar"]] == frame["similar"].iloc[:4].tolist()
    hidden = json.loads(run(capsys, asked(table, "--n", "4", "--pupils", "pupils", "--json"))[1])
    assert "distance" not in hidden["lists"][0]["similar"][0]


def test_small_counts_are_withheld_everywhere(table, capsys):
    frame = pd.read_csv(table, dtype={"urn": str})
    frame.loc[frame["urn"] != "100004", "pupils"] = 3
    frame.to_csv(table, index=False)
    arguments = asked(table, "--pupils", "pupils", "--for", "100004", "--n", "2")
    record = json.loads(run(capsys, [*arguments, "--json"])[1])
    assert all("Suppressed" in one["pupils"]["unavailable"] for one in record["similar"])
    assert all("Withheld" in one["distance"]["unavailable"] for one in record["similar"])
    text = run(capsys, arguments)[1]
    assert "[1] Suppressed" in text


def test_missing_values_are_counted(table, capsys):
    frame = pd.read_csv(table, dtype={"urn": str})
    frame.loc[:2, "fsm"] = np.nan
    frame.loc[4, "area"] = None  # only shown, so that it may be missing
    frame.to_csv(table, index=False)
    record = json.loads(run(capsys, asked(table, "--show", "area", "--for", "100004", "--json"))[1])
    assert record["left_out"] == {"n_units": 3, "lacking": {"fsm": 3}}
    assert record["own"]["area"] == ""
    code, _, err = run(capsys, asked(table, "--for", "100001"))
    assert code == 2
    assert "lacks a characteristic" in err


def test_the_order_of_rows_changes_nothing(table, capsys):
    first = run(capsys, asked(table, "--for", "100004", "--json"))[1]
    pd.read_csv(table, dtype=str).sample(frac=1, random_state=1).to_csv(table, index=False)
    assert run(capsys, asked(table, "--for", "100004", "--json"))[1] == first


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--for", "999"], "There is no unit '999'. Give an id as the table has it."),
        (["--for", "10005"], "There is no unit '10005'. Did you mean '100005'?"),
        (["--name", "school", "--for", "10005"], "There is no unit '10005'. Did you mean '100005'?"),  # ids as well
        (["--name", "school", "--for", "Schol 07"], "Did you mean 'School 07'?"),
        (
            ["--weight", "fms=2", "--for", "100004"],
            "--weight names 'fms', which is not compared on. Did you mean 'fsm'",
        ),
        (["--weight", "fsm"], "give a characteristic and a positive number"),
        (["--weight", "fsm=-1"], "give a characteristic and a positive number"),
        (["--weight", "fsm=1", "--weight", "fsm=2"], "twice"),
        (["--same", "phases"], "no column 'phases'"),
        (["--same", "phase", "--not-same", "phase"], "Choose one"),
        (["--sd-within-same"], "Name what is shared with --same"),
        (["--pupils", "area"], "not compared on"),
        (["--pupils", "fsm", "--for", "100004"], "Counts are whole numbers"),
        (["--n", "0"], "from 1 to 1,000"),
        (["--out", "list.xlsx"], "must end in .html"),
        (["--out", "list.html"], "Name it with --for"),
        (["--out", "/no/such/folder/list.csv"], "there is no folder"),
    ],
)
def test_a_slip_is_one_sentence(table, capsys, more, said):
    code, out, err = run(capsys, asked(table, *more))
    assert code == 2
    assert out == ""
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_a_bad_file_is_one_sentence(table, capsys):
    assert run(capsys, ["similar", "none.csv", "--id", "urn", "--on", "fsm"])[0] == 2
    assert "cannot be compared on" in run(capsys, ["similar", str(table), "--id", "urn", "--on", "urn"])[2]
    frame = pd.read_csv(table, dtype=str)
    frame.loc[0, "fsm"] = "many"
    frame.to_csv(table, index=False)
    code, _, err = run(capsys, asked(table))
    assert code == 2
    assert "line 2: the characteristic 'fsm' holds numbers and texts ('many' there; 1 such cell)" in err
    frame.assign(urn="1").to_csv(table, index=False)
    assert "stands in more than one row" in run(capsys, ["similar", str(table), "--id", "urn", "--on", "pupils"])[2]
    assert run(capsys, asked(table, "--out", str(table)))[0] == 2


def test_the_table_read_is_not_written_over(table, capsys):
    code, _, err = run(capsys, asked(table, "--out", str(table)))
    assert code == 2
    assert "this is the table that was read" in err
