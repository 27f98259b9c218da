"""What the documents point at is there, and what they say about commands is so."""

import re
from pathlib import Path

import pytest

from evalkit.data.own_tables import csv_records
from evalkit.data.published import tables as workbook
from evalkit.data.published.codes import MEANINGS
from evalkit.design.project.labels import design_label
from evalkit.run.commands.catalogue import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/README.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_named_files_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in t]
    missing = [target for target in targets if not (path.parent / target).exists()]
    named = re.findall(r"`((?:docs|evalkit|tests|data/projects|tools)/[\w./-]+\.\w+)`", text)
    missing += [name for name in named if not (ROOT / name).exists() and not re.search("participants.csv|SLUG", name)]
    assert missing == []


def test_every_command_is_documented():
    said = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`evalkit {name}" not in said] == []


def test_the_limits_and_codes_of_tables_are_those_of_the_code():
    said = (ROOT / "docs" / "reference" / "tables.md").read_text(encoding="utf-8")
    assert f"{csv_records.MOST_ROWS // 1_000_000} million |" in said
    assert f"{csv_records.MOST_BYTES // 10**9} GB |" in said
    assert f"{csv_records.MOST_IN_CELL:,} |" in said
    assert f"{workbook.MOST_BYTES // 10**6} MB, {workbook.MOST_ROWS:,} rows" in said
    assert [code for code in MEANINGS if f"`{code}`" not in said] == []


def test_every_design_of_the_reference_has_a_label():
    said = (ROOT / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
    names = re.findall(r"`(neighbours\w*|england|matched\w*)`", said)
    assert len(names) >= 11
    for name in names:
        assert design_label(name)
