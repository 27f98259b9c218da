"""Completion and `?` on every public name: a sentence, a signature with types, and what a reader needs."""

import inspect
import re

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import evalkit

NAMES = sorted(name for name in evalkit.__all__ if name != "__version__")
VERBS = [name for name in NAMES if name[0].islower()]
CLASSES = [name for name in NAMES if name[0].isupper()]


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    shell.user_ns["evalkit"] = evalkit
    yield shell
    InteractiveShell.clear_instance()


def completions(shell, text: str) -> set[str]:
    with provisionalcompleter():
        return {found.text.lstrip(".") for found in shell.Completer.completions(text, len(text))}


def test_dir_lists_every_public_name():
    assert set(dir(evalkit)) >= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_begins_with_one_sentence(name):
    document = inspect.getdoc(getattr(evalkit, name)) or ""
    first = document.split("\n\n")[0].replace("\n", " ").strip()
    assert re.match(r"[A-Z√“\"'`0-9]", first), first
    assert first.endswith("."), first
    assert len(first) > 20, first


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_types_for_all_it_takes_and_gives(name):
    signature = inspect.signature(getattr(evalkit, name))
    untyped = [p.name for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
    assert untyped == []
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_says_of_each_of_its_fields_what_it_is(name):
    """Most are named in the text; the others' names are words that need none."""
    kind = getattr(evalkit, name)
    fields = [field for field in getattr(kind, "__dataclass_fields__", {}) if not field.startswith("_")]
    document = (inspect.getdoc(kind) or "").lower()
    if len(fields) > 3:
        told = [field for field in fields if re.search(rf"\b{field.lower().replace('_', '[_ ]')}\b", document)]
        assert len(told) >= len(fields) / 2, sorted(set(fields) - set(told))


def test_names_are_completed_before_anything_is_loaded(shell):
    assert "group_time_effects" in completions(shell, "evalkit.gr")
    assert "match_balance" in completions(shell, "evalkit.match_")


def test_fields_of_nouns_are_completed(shell):
    shell.user_ns["size"] = evalkit.hedges_g(0.8, 6.2, 40, 40)
    assert {"std_error", "sd_name"} <= completions(shell, "size.s")
    assert "months" in completions(shell, "size.m")


@pytest.mark.parametrize("name", NAMES)
def test_help_in_a_notebook_shows_signature_and_text(shell, name):
    shown = shell.object_inspect_mime(f"evalkit.{name}")["text/plain"]
    first = (inspect.getdoc(getattr(evalkit, name)) or "").split("\n")[0]
    assert first in shown
    assert "ignature:" in shown
    assert f"{name}(" in shown
