"""The script that measures how far values travel."""

import importlib.util

import pytest
from source_tree import ROOT


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("measure_paths", ROOT / "tools" / "measure_paths.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_noun_between_a_row_and_the_headline_stands_where_it_is_said_to(tool):
    assert tool.nouns() <= 12


def test_sun_and_abraham_are_read_from_eight_files(tool):
    files = tool.files_of_sun_and_abraham()
    assert "estimate/staggered/sun_abraham.py" in files
    assert len(files) <= 8


def test_the_caliper_has_one_name_on_its_way_to_the_kernel(tool):
    holders = tool.holders_of("caliper")
    assert "design/matching/options.py PairRules" in holders
    assert len(holders) <= 5
