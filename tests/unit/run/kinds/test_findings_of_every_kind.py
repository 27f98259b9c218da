"""The list of all checks in results.json: of every kind, of every analysis, nothing left out and nothing made up."""

import json

import jsonschema
import pytest

from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.run.notebooks.session import open_evaluation
from tests.plan_projects import KINDS, project

SLOW = ("matched", "staggered", "pupils")  # they match, draw sets or fit many times
BOTH = ("- {name: beside, kind: dose, per: day, against: others}\n  - {name: main,", "- {name: main,")
ASKED = {"analysis", "name", "kind", "verdict", "statistic", "p_value", "n_areas", "power", "sentence"}


def record_of(path):
    return json.loads(results_json(results_record(open_evaluation(str(path)))))


def assert_complete(record):
    jsonschema.validate(record, results_schema())
    told = record["findings"]
    assert told
    assert all(set(one) == ASKED for one in told)
    for entry in record["analyses"]:
        own = [{k: v for k, v in one.items() if k != "analysis"} for one in told if one["analysis"] == entry["name"]]
        assert own == entry["findings"]
    assert len(told) == sum(len(entry["findings"]) for entry in record["analyses"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SLOW])
def test_every_check_of_a_kind_stands_in_the_list(tmp_path, kind):
    assert_complete(record_of(project(tmp_path / kind, kind)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", SLOW)
def test_every_check_of_a_kind_with_many_draws_stands_in_the_list(tmp_path, kind):
    assert_complete(record_of(project(tmp_path / kind, kind)))


def test_the_primary_analysis_comes_first_though_the_file_names_it_last(tmp_path):
    path = project(tmp_path / "dose", "dose")
    text = path.read_text(encoding="utf-8")
    assert text.count(BOTH[1]) == 1
    path.write_text(text.replace(BOTH[1], BOTH[0]), encoding="utf-8")
    record = record_of(path)
    assert [entry["name"] for entry in record["analyses"]] == ["beside", "main"]
    assert_complete(record)
    names = [one["analysis"] for one in record["findings"]]
    assert list(dict.fromkeys(names)) == ["main", "beside"]
    del record["findings"][0]["analysis"]
    with pytest.raises(jsonschema.ValidationError, match="'analysis' is a required property"):
        jsonschema.validate(record, results_schema())
