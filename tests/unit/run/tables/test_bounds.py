"""`evalkit bounds`: two files to bounds, as text, JSON and files; what it refuses, with exit code 2 and a sentence."""

import json

import numpy as np
import pytest

import evalkit
from evalkit.run.cli import main

TIMES, BETA = [-3, -2, 0, 1], [0.1, 0.0, 1.0, 1.2]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The two files of an event study in the working folder, and what writes them anew."""
    monkeypatch.chdir(tmp_path)

    def write(times=TIMES, beta=BETA, sigma=None, header="event_time,estimate"):
        rows = "".join(f"{time},{value}\n" for time, value in zip(times, beta, strict=True))
        (tmp_path / "coefficients.csv").write_text(f"{header}\n{rows}")
        matrix = 0.01 * np.eye(len(times)) if sigma is None else sigma
        text = matrix if isinstance(matrix, str) else "".join(",".join(map(str, row)) + "\n" for row in matrix)
        (tmp_path / "sigma.csv").write_text(text)

    write()
    return write


def run(capsys, *options):
    code = main(["bounds", "coefficients.csv", "--covariance", "sigma.csv", *options])
    return code, capsys.readouterr()


def test_json_has_the_numbers_of_the_verb(files, capsys):
    code, out = run(capsys, "--relative", "0.5,1", "--smoothness", "0,0.1", "--average", "0,1", "--json")
    assert code == 0
    told = evalkit.violation_bounds(
        BETA, 0.01 * np.eye(4), event_times=TIMES, relative=[0.5, 1], smoothness=[0, 0.1], average=[0, 1]
    )
    record = json.loads(out.out)
    for key in ("relative", "smoothness"):
        assert [(row["m"], row["lower"], row["upper"]) for row in record[key]] == [
            (one.m, one.interval.lower, one.interval.upper) for one in getattr(told, key)
        ]
    assert record["breakdown"] == {"relative": told.breakdown_relative, "smoothness": told.breakdown_smoothness}
    assert record["original"]["lower"] == told.original.lower
    assert record["event_times"] == [0, 1]


def test_a_shape_level_and_time_reach_the_verb(files, capsys):
    code, out = run(capsys, "--sign", "-", "--level", "0.9", "--event-time", "1", "--json")
    told = evalkit.violation_bounds(BETA, 0.01 * np.eye(4), event_times=TIMES, event_time=1, sign="-", level=0.9)
    record = json.loads(out.out)
    assert code == 0
    assert [row["lower"] for row in record["relative"]] == [one.interval.lower for one in told.relative]
    assert record["breakdown"]["relative"]["unavailable"] == told.breakdown_relative.reason
    assert (record["sign"], record["monotone"], record["level"]) == ("-", None, 0.9)


def test_rows_in_another_order_give_the_same(files, capsys):
    sigma = 0.01 * np.eye(4) + 0.002
    sigma[0, 1] = sigma[1, 0] = 0.005
    files(sigma=sigma)
    first = run(capsys, "--json")[1].out
    order = [2, 0, 3, 1]
    files([TIMES[at] for at in order], [BETA[at] for at in order], sigma[np.ix_(order, order)])
    assert run(capsys, "--json")[1].out == first


def test_the_text_says_when_the_interval_reaches_zero_and_what_that_is_not(files, capsys):
    code, out = run(capsys)
    assert code == 0
    assert "the effect at the start is 1.000 (95% interval 0.804 to 1.196)." in " ".join(out.out.split())
    assert "times the largest one before it" in " ".join(out.out.split())
    assert "nothing in the data rules out" in " ".join(out.out.split())


def test_an_effect_that_is_none_says_so_once(files, capsys):
    files(beta=[0.1, 0.0, 0.05, 0.0])
    _, out = run(capsys)
    assert "That interval includes 0 already" in " ".join(out.out.split())
    record = json.loads(run(capsys, "--json")[1].out)
    assert "includes 0 already" in record["breakdown"]["relative"]["unavailable"]


@pytest.mark.parametrize("kind", ["html", "docx", "pdf", "csv"])
def test_every_kind_of_file_is_written(files, capsys, tmp_path, kind):
    code, _ = run(capsys, "--quiet", "--out", f"bounds.{kind}")
    assert code == 0
    content = (tmp_path / f"bounds.{kind}").read_bytes()
    assert len(content) > 400
    if kind == "html":
        assert b"Figure 1." in content
    if kind == "csv":
        assert content.startswith(b"bound,m,interval_lower,interval_upper,method")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"times": [-3, -1, 0, 1]}, "-1 is the reference"),
        ({"times": [-4, -2, 0, 1]}, "-3 is lacking"),
        ({"times": [-3, -2, 0, 2]}, "1 is lacking"),
        ({"times": [-3, -2, 0, 0.5]}, "0.5 is no whole number"),
        ({"beta": [0.1, "", 1, 1]}, "column 'estimate' holds no number"),
        ({"header": "time,estimate"}, "event_time"),
        ({"sigma": 0.01 * np.eye(3)}, "4 rows of 4 numbers"),
        ({"sigma": np.full((4, 4), 2.0) - 1.5 * np.eye(4)}, "no covariance"),
        ({"sigma": -np.eye(4)}, "not above 0"),
        ({"sigma": "a,b,c,d\n1,0,0,0\n0,1,0,0\n0,0,1,0\n0,0,0,1\n"}, "'a' is no number"),
        ({"sigma": "1,0,0,0\n0,1,0,0\n0,0,1,0\n0,0,0,\n"}, "line 4"),
        ({"sigma": ""}, "0 rows"),
    ],
)
def test_files_that_cannot_be_are_refused(files, capsys, tmp_path, changed, words):
    files(**changed)
    code, out = run(capsys, "--out", "bounds.csv")
    assert code == 2
    assert words in out.err
    assert "Traceback" not in out.err
    assert not (tmp_path / "bounds.csv").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--relative", "a"], "no list of numbers"),
        (["--smoothness=-1"], "from 0 on"),
        (["--average", "0.5"], "whole numbers"),
        (["--average", "7"], "Event time 7 is not among"),
        (["--event-time", "0", "--average", "0"], "Give one of them"),
        (["--sign", "+", "--monotone", "up"], "Give one of them"),
        (["--level", "0.3"], "--level lies between 0.5 and 1"),
        (["--sign", "up"], "--sign is one of"),
        (["--out", "sigma.csv"], "the table that was read"),
        (["--out", "coefficients.csv"], "the table that was read"),
    ],
)
def test_options_that_cannot_be_are_refused(files, capsys, tmp_path, options, words):
    before = (tmp_path / "sigma.csv").read_text()
    code, out = run(capsys, *options)
    assert code == 2
    assert words in out.err
    assert (tmp_path / "sigma.csv").read_text() == before


def test_a_file_that_is_not_there_is_named(files, capsys):
    assert main(["bounds", "nothing.csv", "--covariance", "sigma.csv"]) == 2
    assert "nothing.csv" in capsys.readouterr().err
    assert main(["bounds", "coefficients.csv", "--covariance", "none.csv"]) == 2
    assert "none.csv" in capsys.readouterr().err
