"""What a shell completes: commands, options, values and projects, by a real bash where there is one."""

import shutil
import subprocess

import pytest

from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.completion import SCRIPTS, bash, fish, zsh
from evalkit.run.commands.options import options_of
from tests.whole_command import typed

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def completed(*words: str, folder=None) -> list[str]:
    """Return what bash offers for the last of some words."""
    typed_words = " ".join(f"'{word}'" for word in words)
    asked = f"COMP_WORDS=({typed_words}); COMP_CWORD={len(words) - 1}; _evalkit; printf '%s ' \"${{COMPREPLY[@]}}\""
    code = f"{bash()}\n{asked}"
    ran = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert ran.stderr == ""
    return ran.stdout.split()


@needs_bash
def test_commands_are_completed():
    assert completed("evalkit", "s") == ["status", "synthetic", "similar", "synth"]
    assert set(COMMANDS) < set(completed("evalkit", ""))


@needs_bash
@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_completed(name):
    long = [option for option in options_of(name, COMMANDS[name]).by_name if option.startswith("--")]
    assert completed("evalkit", name, "--") == [*long, "--help"]


@needs_bash
def test_values_of_options_that_have_few_are_completed():
    assert completed("evalkit", "did", "x.csv", "--method", "") == ["dr", "ipw", "reg"]
    assert completed("evalkit", "match", "x.csv", "--estimand", "ATT") == ["ATT"]
    assert completed("evalkit", "completion", "") == ["bash", "zsh", "fish"]


@needs_bash
def test_projects_are_completed_where_a_command_takes_them(tmp_path):
    for slug in ("one", "other"):
        (tmp_path / "data" / "projects" / slug).mkdir(parents=True)
    assert completed("evalkit", "run", "o", folder=tmp_path) == ["one", "other"]
    assert completed("evalkit", "run", "one", "--force", "ot", folder=tmp_path) == ["other"]
    assert completed("evalkit", "did", "o", folder=tmp_path) == []  # files, which bash itself completes
    assert completed("evalkit", "run", "", folder=tmp_path.parent) == []


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_of_each_shell_is_printed(shell):
    ran = typed("completion", shell)
    assert (ran.code, ran.out) == (0, SCRIPTS[shell]())


def test_zsh_reads_the_script_of_bash_and_fish_has_every_option():
    assert zsh().endswith(bash())
    for name, command in COMMANDS.items():
        assert f"-a {name} -d " in fish()
        for option in options_of(name, command):
            assert all(f"{name}' {'-l' if typed.startswith('--') else '-s'} {typed.lstrip('-')}" in fish()
                       for typed in option.names)  # fmt: skip
