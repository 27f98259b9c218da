"""What the how-to for a table of one's own says can be typed as it stands."""

import contextlib
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import options_of
from tests.conftest import ROOT
from tests.did_command import run_did

HOWTO = ROOT / "docs" / "how-to" / "estimate-from-a-table.md"
TEXT = HOWTO.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run every Python block in order, in a folder of its own; return their names, their output, and where."""
    folder = tmp_path_factory.mktemp("howto")
    names, printed = {}, io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        for block in blocks("python"):
            exec(compile(block, HOWTO.name, "exec"), names)
    return names, printed.getvalue(), folder


def test_the_python_blocks_find_the_effect_that_was_put_in(ran):
    names, printed, _ = ran
    assert names["results"].simple.estimate == pytest.approx(0.8, abs=0.3)
    assert printed.count("imputation") == 2
    assert "treated against never treated" in printed
    assert "Unavailable" not in printed


def test_the_commands_can_be_typed(ran):
    names, _, folder = ran
    commands = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(commands) == 3
    for command in commands:
        [program, verb, file, *options] = shlex.split(command)
        assert (program, verb) == ("evalkit", "did")
        done = run_did(folder / file, *options, columns=())
        assert done.code == 0, done.err
        if "--json" in options:
            found = json.loads(done.out)
            assert found["simple"]["estimate"] == pytest.approx(names["results"].simple.estimate, rel=1e-9)
            assert found["simple"]["std_error"] == pytest.approx(names["results"].simple.std_error, rel=1e-9)


def test_every_option_is_documented():
    options = options_of("did", COMMANDS["did"]).by_name
    assert [name for name in options if name.startswith("--") and name != "--help" and name not in TEXT] == []


def test_every_key_of_json_is_documented(ran, tmp_path):
    _, _, folder = ran
    columns = ("--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "start")
    keys = set()
    for estimator in ("all", "twfe"):
        keys |= set(
            json.loads(run_did(Path(folder) / "scores.csv", "--estimator", estimator, "--json", columns=columns).out)
        )
    assert sorted(key for key in keys if f"`{key}`" not in TEXT) == []
