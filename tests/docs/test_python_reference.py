"""The examples of the Python reference run as they stand, and every public name is loaded and explained."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import evalkit

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_run_in_order():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/reference/python.md").read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 5
    names: dict[str, object] = {}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"python.md, example {number}", "exec"), names)
    assert names["results"].simple.estimate == pytest.approx(0.8, abs=0.5)


@pytest.mark.parametrize("name", [name for name in evalkit.__all__ if name != "__version__"])
def test_a_public_name_is_there_and_says_what_it_is(name):
    thing = getattr(evalkit, name)
    assert name in dir(evalkit)
    assert thing.__doc__
    assert len(thing.__doc__.split()) > 4


def test_an_unknown_name_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="no name 'nonsense'"):
        evalkit.nonsense  # noqa: B018


def test_importing_the_kit_loads_no_library():
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, evalkit; print([m for m in ('numpy', 'pandas', 'scipy') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"
