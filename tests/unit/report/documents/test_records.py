"""results.json keeps its contract."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from report_fixture import whole

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema

KEYS = {
    "outcome",
    "role",
    "design",
    "estimand",
    "period",
    "estimate",
    "std_error",
    "interval",
    "p_value",
    "p_value_one_sided",
    "inference",
    "cluster_level",
    "n_treated",
    "n_comparison",
    "n_treated_clusters",
    "method",
}
MAIN = {
    "hedges_g",
    "hedges_g_interval",
    "hedges_g_school",
    "sd_used",
    "sd_name",
    "hedges_g_conditional",
    "hedges_g_conditional_interval",
    "sd_conditional",
    "sd_conditional_name",
    "months_progress",
    "permutation_rank",
    "n_areas",
    "smallest_p",
    "studentised_p",
    "school_sd",
    "school_sd_name",
}


def test_the_schema_is_a_schema_and_both_evaluations_keep_it(
    evaluation: AreasResults, unavailable: AreasResults
) -> None:
    jsonschema.Draft202012Validator.check_schema(results_schema())
    for one in (evaluation, unavailable):
        jsonschema.validate(json.loads(results_json(results_record(whole(one)))), results_schema())


def test_the_schema_refuses_what_it_should(evaluation: AreasResults) -> None:
    for path, bad in (
        ("estimate", None),
        ("p_value", 1.2),
        ("period", "after"),
        ("n_treated", 4.5),
        ("inference", "bootstrap"),
    ):
        record = json.loads(results_json(results_record(whole(evaluation))))
        record["effects"][0][path] = bad
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(record, results_schema())


def test_every_analysis_has_an_entry_and_names_itself_in_each_effect(evaluation: AreasResults) -> None:
    record = json.loads(results_json(results_record(whole(evaluation))))
    (entry,) = record["analyses"]
    assert (entry["name"], entry["kind"], entry["primary"]) == ("main", "areas", True)
    assert entry["inference"] == {
        "recommended": "area permutation",
        "reason": "One area is treated; its change is placed among those of all areas.",
    }
    assert {effect["analysis"] for effect in entry["effects"]} == {"main"}
    # one effect for each of the three outcomes and the contrast is the one that the analysis is quoted by
    main = [effect for effect in entry["effects"] if effect.get("main")]
    assert [(one["outcome"], one["estimate"]) for one in main] == [
        ("READPROG", 0.94),
        ("WRITPROG", -0.3),
        ("MATPROG", 0.6),
        ("READPROG-MATPROG", 0.33),
    ]
    assert [{k: v for k, v in one.items() if k not in ("analysis", "main")} for one in entry["effects"]] == record[
        "effects"
    ]
    assert record["findings"] == [{"analysis": "main", **one} for one in entry["findings"]]
    record["analyses"].append({**entry, "name": "other"})
    with pytest.raises(jsonschema.ValidationError):  # two primary ones
        jsonschema.validate(record, results_schema())


def test_every_effect_has_the_keys_and_the_main_one_more(evaluation: AreasResults) -> None:
    effects = results_record(whole(evaluation))["effects"]
    assert len(effects) == len(evaluation.effects)
    assert all(set(effect) >= KEYS for effect in effects)
    assert set(effects[0]) >= KEYS | MAIN
    assert effects[0]["months_progress"] == {
        "estimate": 2,
        "lower": 0,
        "upper": 3,
        "table": "Toolkit table of the EEF",
        "note": "illustrative",
    }
    assert effects[0]["interval"] == {"lower": 0.02, "upper": 1.86, "level": 0.95}


def test_the_interval_of_g_times_the_standard_deviation_is_the_interval(evaluation: AreasResults) -> None:
    main = results_record(whole(evaluation))["effects"][0]
    assert main["hedges_g_conditional_interval"]["lower"] * main["sd_conditional"] == pytest.approx(0.02, rel=1e-12)
    assert main["hedges_g"] < main["hedges_g_conditional"]  # the spread between all pupils is the larger one
    assert main["hedges_g_interval"]["lower"] * main["sd_used"] == pytest.approx(main["interval"]["lower"], rel=1e-12)


def test_what_cannot_be_given_is_a_reason(unavailable: AreasResults) -> None:
    effect = results_record(whole(unavailable))["effects"][0]
    assert effect["estimate"] == {"unavailable": "Six schools are too few."}
    assert effect["months_progress"] == {"unavailable": "Six schools are too few."}


def test_every_permuted_effect_after_the_programme_carries_the_main_keys(
    evaluation: AreasResults, unavailable: AreasResults
) -> None:
    for one in (evaluation, unavailable):
        kept = [
            effect
            for effect in json.loads(results_json(results_record(whole(one))))["effects"]
            if (effect["inference"], effect["period"]) == ("permutation", "post")
        ]
        assert len(kept) == 14
        assert all(set(effect) >= MAIN for effect in kept)
        for key in ("hedges_g", "permutation_rank"):
            broken = json.loads(results_json(results_record(whole(one))))
            del broken["effects"][0][key]
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(broken, results_schema())


def test_an_effect_that_could_not_be_estimated_gives_its_reason_for_every_size(unavailable: AreasResults) -> None:
    writing = next(e for e in results_record(whole(unavailable))["effects"] if e["outcome"] == "WRITPROG")
    clustered = next(e for e in results_record(whole(unavailable))["effects"] if e["inference"] == "cluster")
    assert clustered["hedges_g"] == {"unavailable": "Six schools are too few."}
    for key in ("hedges_g", "hedges_g_interval", "hedges_g_school", "sd_used", "months_progress", "permutation_rank"):
        assert writing[key] == {"unavailable": "Six schools are too few."}


def nulls(value: Any, place: str = "") -> list[str]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in nulls(item, f"{place}/{key}")]
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in nulls(item, f"{place}/{i}")]
    return [place] if value is None else []


def test_nothing_is_null(evaluation: AreasResults, unavailable: AreasResults) -> None:
    for one in (evaluation, unavailable):
        assert nulls(json.loads(results_json(results_record(whole(one))))) == []
    claim = results_record(whole(evaluation))["claims"][1]["claim"]
    assert claim["measure"] == {"unavailable": "Six secondaries cannot show it."}
    assert results_record(whole(unavailable))["cost"] == {"unavailable": "The project file states no cost."}


def test_counts_of_areas_are_whole_numbers(evaluation: AreasResults) -> None:
    floats = replace(evaluation, headline=replace(evaluation.headline, n_areas=149.0, n_as_large=7.0))
    shown = results_record(whole(floats))["headline"]
    assert [(n, type(n)) for n in (shown["n_areas"], shown["n_as_large"])] == [(149, int), (7, int)]


def test_the_school_level_sd_is_named(evaluation: AreasResults) -> None:
    main = results_record(whole(evaluation))["effects"][0]
    assert main["school_sd"] == 2.7
    assert "between the analysed schools of England" in main["school_sd_name"]
    assert "2017" in main["school_sd_name"]


def test_a_number_that_is_not_finite_is_refused(evaluation: AreasResults) -> None:
    broken = replace(evaluation, effects=(replace(evaluation.effects[0], std_error=float("nan")),))
    with pytest.raises(EvalkitError, match="not a finite number"):
        results_json(results_record(whole(broken)))


def test_the_flow_adds_up_by_arm(evaluation: AreasResults) -> None:
    rows = [
        row
        for row in results_record(whole(evaluation))["flow"]
        if (row["outcome"], row["arm"]) == ("READPROG", "treated")
    ]
    assert set(rows[0]) == {"outcome", "arm", "stage", "reason", "n"}
    by_stage = {
        stage: sum(row["n"] for row in rows if row["stage"] == stage) for stage in ("listed", "excluded", "analysed")
    }
    assert by_stage == {"listed": 51, "excluded": 2, "analysed": 49}
