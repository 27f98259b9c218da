"""The glossary gives each word once, and names classes where they are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^\| (?!word|---)([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT)
HOMES = {
    (node.name, path)
    for path in (ROOT / "evalkit").rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.ClassDef)
}


def test_each_word_stands_once():
    words = [word for word, _, _ in ROWS]
    assert len(words) > 40
    assert len(words) == len(set(words))


@pytest.mark.parametrize(("word", "meaning", "where"), ROWS, ids=[row[0] for row in ROWS])
def test_a_word_has_a_meaning_and_a_class_where_it_is_said_to_be(word, meaning, where):
    assert meaning.strip()
    named, place = re.fullmatch(r"`(\w+)`, `([\w./]+)`", where).groups()
    homes = [path for name, path in HOMES if name == named]
    assert any(path.is_relative_to(ROOT / place) for path in homes), f"{word}: {place} has no class {named}"
