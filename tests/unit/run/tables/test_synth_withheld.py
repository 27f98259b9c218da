"""`evalkit synth`: where the text shows no estimate or no p-value, JSON holds none, in any place."""

import contextlib
import io
import json

import pytest

from evalkit.run import cli
from tests.synth_command import COLUMNS, simulated


def run_synth(path, *options):
    given = cli.parsed(["synth", str(path), *COLUMNS, "--treated", "000", "--start", "2016", *options])
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert cli.done(given) == 0
    return out.getvalue()


def inferred(record):
    """Yield every number that says how unusual the effect is, wherever it stands."""
    if isinstance(record, dict):
        yield from (key for key, value in record.items() if key in INFERRED and isinstance(value, int | float))
        yield from (key for key, value in record.items() if isinstance(value, dict) and "lower" in value)
        for value in record.values():
            yield from inferred(value)
    elif isinstance(record, list):
        for value in record:
            yield from inferred(value)


INFERRED = {"p_value", "placebo_p", "std_error", "ratio", "estimate", "lowest", "highest", "without_influential"}


@pytest.mark.parametrize("method", ["sc", "augmented"])
def test_a_poor_fit_has_no_number_of_inference_in_json(tmp_path, method):
    table = simulated()
    table.loc[table["area"] == "000", "score"] *= 40
    table.to_csv(tmp_path / "far.csv", index=False)
    record = json.loads(run_synth(tmp_path / "far.csv", "--method", method, "--json"))
    assert "unavailable" in record["estimate"]
    assert list(inferred({key: value for key, value in record.items() if key != "fit"})) == []
    assert "No inference is made without an estimate" in run_synth(tmp_path / "far.csv", "--method", method)


def test_few_periods_have_an_estimate_and_no_p_value(tmp_path):
    table = simulated()
    table[table["year"] >= 2013].to_csv(tmp_path / "short.csv", index=False)
    record = json.loads(run_synth(tmp_path / "short.csv", "--json"))
    assert isinstance(record["estimate"], float)
    kept = {key: value for key, value in record.items() if key not in ("fit", "leave_one_out", "estimate")}
    assert list(inferred(kept)) == []
    assert "p = " not in run_synth(tmp_path / "short.csv")
