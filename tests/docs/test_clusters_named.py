"""What errors take as independent: every example names the area, and nothing is called what it cannot be."""

import re
import shlex

import pytest

from tests.conftest import ROOT

DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
COMMANDS = ("did", "match")
"""The commands that take --cluster."""


def examples(text: str) -> list[list[str]]:
    """Return the words of every command in a block of code that estimates from a table with --cluster at hand."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line.strip().removeprefix("python3 run.py ") for block in blocks for line in block.splitlines()]
    words = [line.split("#")[0] for line in lines if line.startswith(tuple(f"evalkit {name} " for name in COMMANDS))]
    return [shlex.split(line) for line in words]


def test_there_are_examples():
    assert sum(len(examples(path.read_text(encoding="utf-8"))) for path in DOCUMENTS) >= 9


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_names_the_area(path):
    text = path.read_text(encoding="utf-8")
    for words in examples(text):
        if words[1] == "match" and "--outcome" not in words:
            continue  # no effect, so no error
        assert "--cluster" in words, " ".join(words)
        table = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if f'"{words[2]}"' in block]
        named = words[words.index("--cluster") + 1]
        assert not table or any(f'"{named}"' in block for block in table), named


def test_no_text_calls_a_result_reliable():
    files = [*DOCUMENTS, *ROOT.glob("evalkit/**/*.py"), *ROOT.glob("notebooks/*.ipynb")]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"reliab", line, re.IGNORECASE)
        and "of low reliability" not in line
        # of a scale it is the field's word for what alpha and omega measure
        and not re.search(r"survey|scale", f"{path.relative_to(ROOT)} {line}", re.IGNORECASE)
    ]
    assert found == []
