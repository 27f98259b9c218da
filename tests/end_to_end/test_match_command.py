"""`evalkit match` as it is typed: what it tells, what it writes, and what it refuses in one sentence."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.match_command import run_match

COLUMNS = ("--treated", "joined", "--on", "size,score", "--id", "school", "--outcome", "result")


def schools(n=200, n_treated=20, seed=3):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "school": [f"{at:04d}" for at in range(n)],
            "size": random.integers(20, 90, size=n),
            "score": random.normal(100, 3, size=n).round(2),
            "phase": random.choice(["primary", "junior"], size=n),
            "area": random.choice(["x", "y", "z"], size=n),
        }
    )
    table["joined"] = 0
    table.loc[np.argsort(table["score"] + random.normal(0, 6, size=n))[:n_treated], "joined"] = 1
    table["result"] = (table["score"] + random.normal(0, 2, size=n) + 0.8 * table["joined"]).round(2)
    return table


def ran(folder, table, *options, columns=COLUMNS):
    path = folder / "schools.csv"
    table.to_csv(path, index=False)
    return run_match(path, *columns, *options)


KEYS = ["n", "estimand", "total_distance", "pairs", "weights", "balance", "effect"]


def test_the_record_holds_what_is_promised(tmp_path):
    table = schools()
    found = ran(tmp_path, table, "--json").record
    assert list(found)[: len(KEYS)] == KEYS
    assert found["n"]["treated"] == found["n"]["treated_matched"] == len(found["pairs"]) == 20
    treated = set(table.loc[table["joined"] == 1, "school"])
    assert {a for a, _, _ in found["pairs"]} == treated
    assert not {b for _, b, _ in found["pairs"]} & treated
    assert sum(found["weights"][key] for key in treated) == pytest.approx(20)
    assert sum(w for key, w in found["weights"].items() if key not in treated) == pytest.approx(20)
    assert {row["covariate"] for row in found["balance"]} == {"size", "score"}
    assert {"covariate", "smd_before", "smd_after", "variance_ratio_after", "ecdf_mean_after", "denominator"} <= set(
        found["balance"][0]
    )
    assert {"estimate", "std_error", "interval", "inference", "df"} <= set(found["effect"])
    assert found["effect"]["df"] == 19


def test_rows_in_another_order_give_the_same_answer(tmp_path):
    table = schools()
    expected = ran(tmp_path, table, "--json").record
    for seed in (1, 2):
        assert ran(tmp_path, table.sample(frac=1, random_state=seed), "--json").record == expected


METHODS = ("nearest", "optimal", "full", "cem", "subclass", "profile", "entropy", "ipw", "cbps")


@pytest.mark.parametrize("method", METHODS)
def test_no_method_sees_the_outcome(tmp_path, method):
    table = schools()
    other = table.assign(result=np.random.default_rng(1).permutation(table["result"]))
    first = ran(tmp_path, table, "--method", method, "--json").record
    second = ran(tmp_path, other, "--method", method, "--json").record
    for key in ("n", "estimand", "total_distance", "pairs", "weights", "balance"):
        assert first[key] == second[key]
    assert first["effect"]["estimate"] != second["effect"]["estimate"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_an_effect_near_the_one_put_in(tmp_path, method):
    found = ran(tmp_path, schools(n=600, n_treated=60), "--method", method, "--adjust", "size,score", "--json").record
    assert found["effect"]["estimate"] == pytest.approx(0.8, abs=0.9)
    assert found["effect"]["interval"]["lower"] < found["effect"]["estimate"] < found["effect"]["interval"]["upper"]


def test_a_text_for_a_person(tmp_path):
    text = ran(tmp_path, schools(), "--exact", "phase", "--earlier", "score").out
    for part in ("Who is compared with whom", "How alike they are", "The effect", "What could be wrong", "measured"):
        assert part in text
    assert "nan" not in text.lower().split()


def test_files_are_written_whole(tmp_path):
    table = schools()
    (tmp_path / "weights.csv").write_text("old")
    done = ran(tmp_path, table, "--json", "--out", str(tmp_path / "weights.csv"))
    written = pd.read_csv(tmp_path / "weights.csv", dtype={"id": str})
    assert written.set_index("id")["weight"].to_dict() == pytest.approx(done.record["weights"])
    assert written.groupby("set")["treated"].agg(["sum", "size"]).to_numpy().tolist() == [[1, 2]] * 20
    again = ran(tmp_path, table, "--json", "--out", str(tmp_path / "result.json"))
    assert json.loads((tmp_path / "result.json").read_text()) == again.record
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result.json", "schools.csv", "weights.csv"]


def test_documents_are_written_twice_with_the_same_bytes(tmp_path):
    table = schools()
    for kind in ("html", "docx"):
        made = []
        for turn in range(2):
            path = tmp_path / f"match{turn}.{kind}"
            done = ran(tmp_path, table, "--earlier", "score", "--out", str(path))
            assert done.code == 0, done.err
            made.append(path.read_bytes())
        assert made[0] == made[1]


def test_the_table_that_was_read_is_never_written_over(tmp_path):
    before = schools().to_csv(index=False)
    done = ran(tmp_path, schools(), "--out", str(tmp_path / "schools.csv"))
    assert done.code == 2
    assert "this is the table that was read" in done.err
    assert (tmp_path / "schools.csv").read_text() == before


def changed(**columns):
    return schools().assign(**columns)


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (schools(), ("--method", "entropy", "--ratio", "2"), "'entropy' has no use for --ratio"),
        (schools(), ("--caliper-on", "size"), "give a covariate and a positive width"),
        (schools(), ("--exact", "phse"), "no column 'phse'. Did you mean 'phase'"),
        (schools(), ("--exact", "school", "--method", "nearest"), "'school'"),
        (schools(), ("--estimand", "ATE"), "For the ATE use full matching"),
        (schools(), ("--replace", "--reuse", "2"), "Give one of them"),
        (schools(), ("--out", "weights.txt"), "must end in .html"),
        (schools(), ("--adjustment", "additive"), "Name what to adjust for with --adjust"),
        (changed(size=5), (), "'size' has the same value for every unit"),
        (changed(size=lambda t: 2 * t["score"]), (), "is determined by 'size'"),
        (changed(size=lambda t: 100 * t["joined"] + t["score"]), (), "perfectly"),
        (changed(size=lambda t: t["size"].where(t.index != 3)), (), "'size' is missing for 1 unit"),
        (changed(school="0001"), (), "'0001' stands in more than one row"),
        (changed(joined=0), (), "No treated unit"),
        (changed(joined=1), (), "No comparison unit"),
        (changed(joined=lambda t: t["joined"] + 1), (), "with 0 and 1"),
        (changed(phase=lambda t: np.where(t["joined"] == 1, "rare", "usual")), ("--exact", "phase"), "nothing to"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, table, options, said):
    done = ran(tmp_path, table, *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_matched_unit_without_an_outcome_leaves_the_design_and_gives_no_effect(tmp_path):
    table = schools()
    first = table.index[table["joined"] == 1][0]
    table.loc[first, "result"] = np.nan
    found = ran(tmp_path, table, "--json").record
    assert "missing for 1 matched unit, 1 of them treated" in found["effect"]["unavailable"]
    assert found["n"]["treated_matched"] == 20


def test_one_treated_unit_gets_an_estimate_and_the_reason_for_no_error(tmp_path):
    table = schools()
    table["joined"] = (table.index == 5).astype(int)
    found = ran(tmp_path, table, "--distance", "mahalanobis", "--ratio", "5", "--json").record
    assert np.isfinite(found["effect"]["estimate"])
    assert "Only one treated unit is matched" in found["effect"]["std_error"]["unavailable"]


def test_more_treated_than_comparison_units_leave_some_without_a_partner(tmp_path):
    table = schools()
    table["joined"] = 1 - table["joined"]
    found = ran(tmp_path, table, "--json").record
    assert found["estimand"] == "ATT_AMONG_MATCHED"
    assert found["n"]["treated_matched"] == 20
    assert len(found["unmatched"]) == 160


def test_missing_can_be_made_a_category(tmp_path):
    table = schools()
    table["size"] = table["size"].where(table.index % 7 != 0)
    found = ran(tmp_path, table, "--missing", "category", "--json").record
    assert {row["covariate"] for row in found["balance"]} == {"size", "size is missing", "score"}


def test_a_design_whose_usual_error_does_not_exist_is_still_told(tmp_path):
    """One treated unit in a stratum with one comparison unit: two rows leave nothing to estimate an error from."""
    table = schools(n=40, n_treated=1).assign(size=range(40))
    table.loc[[0, 1], "size"] = 500
    table["joined"] = (table.index == 0).astype(int)
    columns = ("--treated", "joined", "--on", "size", "--id", "school", "--outcome", "result")
    found = ran(tmp_path, table, "--method", "exact", "--json", columns=columns).record
    assert found["n"]["treated_matched"] == 1
    assert "unavailable" in found["effect"] or "unavailable" in found["effect"]["std_error"]
