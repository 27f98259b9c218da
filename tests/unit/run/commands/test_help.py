"""Help of every command: what is typed, examples that can be typed, and nothing loaded for it."""

import shlex
import subprocess
import sys

import pytest

from evalkit.run import cli
from evalkit.run.commands.catalogue import COMMANDS, overview
from evalkit.run.commands.options import given_of, help_of, options_of
from tests.conftest import ROOT

EXAMPLES = [(name, line) for name, command in COMMANDS.items() for line in command.declared.examples]
SLOW = ("argparse", "dataclasses", "difflib", "inspect", "numpy", "pandas", "pathlib", "typing")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert cli.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: evalkit {name}")
    assert "examples:\n  evalkit " + name in said
    for option in options_of(name, COMMANDS[name]):
        assert option.shown in said


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_examples_can_be_typed(name, line):
    words = shlex.split(line.partition(" >")[0])
    assert words[:2] == ["evalkit", name]
    given_of(name, COMMANDS[name], words[2:])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_verb_of_every_command_is_there(name):
    assert callable(COMMANDS[name].verb)


def test_commands_stand_in_the_order_of_use():
    order = ["new", "migrate", "check", "power", "run", "status", "portfolio", "clean"]
    at = [overview().index(f"\n  {name} ") for name in order]
    assert at == sorted(at)
    assert all(f"\n  {name} " in overview() for name in COMMANDS)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_help_is_as_wide_as_the_terminal_and_never_wider_than_can_be_read(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    declared = help_of("lab", COMMANDS["lab"]).partition("examples:")[0]
    assert max(map(len, declared.splitlines())) <= max(min(width, 120), 48)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["dod"], *([name, "--help"] for name in COMMANDS), ["run", "--al"], ["match", "x"]],
    ids=" ".join,
)
def test_help_and_refusals_load_nothing_slow(words):
    code = f"import sys; from evalkit.run.cli import main; main({words}); print(*({set(SLOW)} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.splitlines()[-1:] == [""]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_or_folder_that_cannot_be_is_told_before_tables_are_loaded(name):
    libraries = {"matplotlib", "pandas", "scipy", "statsmodels"}
    code = (
        f"import sys; from evalkit.run.commands.catalogue import COMMANDS; COMMANDS[{name!r}].verb; "
        f"print(*({libraries} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == ""
