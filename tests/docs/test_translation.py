"""What the page for users of R and Stata names is there: every option, value and Python name."""

import re
from pathlib import Path

import pytest

import evalkit
from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import options_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "translation.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.S | re.M))
OF = {"Staggered starts": "did", "Matching and weighting": "match", "One or few treated areas": "synth"}


@pytest.mark.parametrize(("section", "command"), OF.items())
def test_every_option_and_value_is_one_of_the_command(section, command):
    known = options_of(command, COMMANDS[command]).by_name
    named = re.findall(r"(--[a-z][a-z-]+)(?: ([a-z0-9-]+))?", SECTIONS[section])
    assert len(named) >= 4
    bounds = options_of("bounds", COMMANDS["bounds"]).by_name
    for option, value in named:
        assert option in known or option in bounds, option
        choices = known[option].choices if option in known else ()
        assert not choices or value == "" or value in choices, (option, value)


def test_every_python_name_is_public():
    named = set(re.findall(r"`evalkit\.([a-z_]+)", PAGE)) | {"event_study", "effects_by_cohort", "hedges_g_within"}
    assert len(named) > 12
    assert [name for name in named if name not in evalkit.__all__] == []
