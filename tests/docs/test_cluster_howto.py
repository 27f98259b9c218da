"""The scripts of the how-to on clusters: shell that parses, and options that the commands have."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.run.cli import parsed

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "how-to" / "cluster.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"<!-- script: (\w+) -->\n```bash\n(.*?)```", TEXT, re.DOTALL))
VALUES = {
    "PUBLISHED": "published",
    "SLURM_ARRAY_TASK_ID": "2",
    "SLURM_ARRAY_TASK_COUNT": "8",
    "SLURM_CPUS_PER_TASK": "2",
    "file": "scheduler.json",
}


def commands(text: str, first: str) -> list[list[str]]:
    """Return the words of every line that calls a program, the variables of a job put in."""
    filled = re.sub(r"\$(\w+)", lambda found: VALUES.get(found[1], found[0]), text)
    lines = [line.removeprefix("srun ").rstrip("& ") for line in filled.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(first + " ")]


def test_there_is_a_script_for_each_way():
    assert sorted(SCRIPTS) == ["array", "dask"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_are_shell(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("words", commands(TEXT, "evalkit"), ids=" ".join)
def test_every_command_is_understood(words):
    given = parsed(words[1:])
    if words[1] == "run":
        from evalkit.run.many.task import Shard

        assert given.is_all
        assert given.shard is None or Shard.parsed(given.shard) == Shard.parsed("2/8")


@pytest.mark.parametrize("name", ["scheduler", "worker"])
def test_dask_has_every_option_named(name):
    pytest.importorskip("distributed", reason="needs the extra evalkit[cluster]")
    said = subprocess.run([sys.executable, "-m", "dask", name, "--help"], capture_output=True, text=True, check=True)
    named = {word for words in commands(TEXT, "dask") if words[1] == name for word in words if word.startswith("--")}
    assert {option for option in named if option not in said.stdout} == set()
    assert "--scheduler-file" in named
