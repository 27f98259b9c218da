"""Every public verb shows a call: the examples in docstrings are run, each in a namespace and folder of its own."""

import doctest
import inspect

import pytest

import evalkit

NAMES = [name for name in evalkit.__all__ if callable(getattr(evalkit, name))]
VERBS = [name for name in NAMES if inspect.isfunction(getattr(evalkit, name))]


def examples_of(name: str) -> list[doctest.DocTest]:
    """Return the examples of a public name: those of a class with the examples of its own methods."""
    found = doctest.DocTestFinder().find(getattr(evalkit, name), name)
    return [test for test in found if test.examples]


WITH = [name for name in NAMES if examples_of(name)]


@pytest.mark.parametrize("name", WITH)
def test_the_examples_of_a_public_name_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # examples that write a file do so here
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    told: list[str] = []
    for test in examples_of(name):
        runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


@pytest.mark.parametrize("name", VERBS)
def test_every_public_verb_shows_a_call_of_itself(name):
    calls = [example.source for test in examples_of(name) for example in test.examples]
    assert any(f"{name}(" in source for source in calls), f"{name} has no example that calls it"
