"""What the how-to for matching a table of one's own says can be typed as it stands."""

import contextlib
import io
import json
import re
import shlex

import pytest

from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import options_of
from tests.conftest import ROOT
from tests.match_command import run_match

HOWTO = ROOT / "docs" / "how-to" / "match-from-a-table.md"
TEXT = HOWTO.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run every Python block in order, in a folder of its own; return their names and where."""
    folder = tmp_path_factory.mktemp("howto")
    names = {}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for block in blocks("python"):
            exec(compile(block, HOWTO.name, "exec"), names)
    return names, folder


def test_the_python_blocks_find_an_effect_like_the_one_put_in(ran):
    names, _ = ran
    assert names["effect"].estimate.value == pytest.approx(0.8, abs=1.5)
    simple = names["evalkit"].staggered_results(names["effects"]).simple
    assert simple.estimate == pytest.approx(0.8, abs=1.5)


def test_the_commands_can_be_typed(ran, monkeypatch):
    _, folder = ran
    monkeypatch.chdir(folder)
    commands = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(commands) == 3
    for command in commands:
        [program, verb, file, *options] = shlex.split(command)
        assert (program, verb) == ("evalkit", "match")
        done = run_match(folder / file, *options)
        assert done.code == 0, done.err
    assert (folder / "matched.csv").exists()


def test_every_option_is_documented():
    options = options_of("match", COMMANDS["match"]).by_name
    said = TEXT + "--treated --on --id --outcome"
    assert [name for name in options if name.startswith("--") and name != "--help" and name not in said] == []


def test_every_key_of_json_is_documented(ran):
    _, folder = ran
    columns = ("--treated", "joined", "--on", "pupils,fsm", "--id", "school", "--outcome", "score_2019")
    found = json.loads(run_match(folder / "schools.csv", *columns, "--adjust", "fsm", "--json").out)
    assert sorted(key for key in found if f"`{key}`" not in TEXT) == []
