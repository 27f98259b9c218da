"""Effects planted in the synthetic England are found by the kinds that they were planted for, and nothing elsewhere.

Two Englands of one seed differ by the planted effects alone, so that what a kind says of the second is what it errs by
in the first: their difference is the planted effect to the last printed digit, whatever the draw.
"""

import json
from dataclasses import asdict
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from evalkit.data.synthetic.known import EFFECT_NAMES, KNOWN_FOLDER, KnownEffects, write_known_effects
from evalkit.data.synthetic.later import draw_later
from evalkit.data.synthetic.register import draw_identities
from evalkit.data.synthetic.whole_england import write_whole_england
from evalkit.data.synthetic.world import draw_primaries
from evalkit.data.synthetic_edition import DEFAULT_SEED
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record, results_schema
from evalkit.run.notebooks.session import open_design, open_evaluation
from tests.known_effects import OUTCOME, PROJECTS, made
from tests.whole_command import typed

SCALE = 0.06
PLANTED = KnownEffects(disadvantaged=2.5, better_grade=0.5)  # larger than usual: fourteen schools are few
TRUE = asdict(PLANTED)
SIZE = {
    "staggered starts": TRUE["good_schools"],
    "dose": TRUE["per_day"],
    "triple differences": TRUE["disadvantaged"],
    "triple differences of areas": TRUE["disadvantaged"],
}
QUICK = ("series", "sc", "staggered starts", "dose", "transitions", "triple differences")
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in PROJECTS if name not in QUICK]


@pytest.fixture(scope="module")
def england(tmp_path_factory) -> Path:
    """A small whole England with its effects."""
    folder = tmp_path_factory.mktemp("known") / "england"
    write_whole_england(folder, scale=SCALE, effects=PLANTED)
    return folder


@pytest.fixture(scope="module")
def quiet(tmp_path_factory) -> Path:
    """The tables of the same England with no effect in them."""
    folder, schools = tmp_path_factory.mktemp("quiet"), draw_primaries(DEFAULT_SEED, SCALE)
    later = draw_later(DEFAULT_SEED, schools, draw_identities(DEFAULT_SEED, schools, SCALE), SCALE)
    write_known_effects(folder, DEFAULT_SEED, later, KnownEffects(**dict.fromkeys(EFFECT_NAMES, 0.0)))
    return folder


@pytest.fixture(scope="module")
def record_of(england, quiet, tmp_path_factory):
    """Return results.json of a project on one of the two, each made once."""
    kept = {}

    def of(name, is_planted):
        if (name, is_planted) not in kept:
            folder = tmp_path_factory.mktemp("projects") / "known"
            path = made(folder, england if is_planted else quiet, name)
            evaluation = open_evaluation(str(path), str(england))
            kept[name, is_planted] = json.loads(results_json(results_record(evaluation)))
        return kept[name, is_planted]

    return of


def main_of(record, name, code=None):
    return next(one for one in record["effects"] if one["outcome"] == (code or OUTCOME.get(name, "known.suspensions")))


def truth(england, name):
    """Return the planted effect; of grades as many schools as were lifted, which is a whole number of them."""
    card = json.loads((england / "SYNTHETIC.json").read_text(encoding="utf-8"))["known_effects"]
    return card["percentage_points_better"] if name == "transitions" else SIZE.get(name, TRUE["suspensions"])


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_the_planted_effect_is_found_within_its_error(record_of, england, name):
    record, size = record_of(name, True), truth(england, name)
    jsonschema.validate(record, results_schema())
    main = main_of(record, name)
    assert main["interval"]["lower"] < size < main["interval"]["upper"]
    assert not main["interval"]["lower"] < 0 < main["interval"]["upper"]
    assert main["p_value"] < 0.05


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_where_nothing_is_planted_nothing_is_found_and_the_difference_is_the_effect(record_of, england, name):
    quiet, planted = main_of(record_of(name, False), name), main_of(record_of(name, True), name)
    assert quiet["interval"]["lower"] < 0 < quiet["interval"]["upper"]
    assert quiet["p_value"] > 0.05
    # no weight, list or comparison hangs on later outcomes, so that the estimate moves by what was added and no more
    assert planted["estimate"] - quiet["estimate"] == pytest.approx(truth(england, name), abs=1e-6)


def test_an_outcome_not_aimed_at_is_left_alone(record_of):
    for name, code in (("series", "known.attendance"), ("dose", "known.maths")):
        main = main_of(record_of(name, True), name, code)
        assert main["interval"]["lower"] < 0 < main["interval"]["upper"]
        assert main == main_of(record_of(name, False), name, code)


def test_a_shock_of_the_authorities_is_in_the_single_difference_and_not_in_the_triple(record_of, england):
    """The shock of −1 hits both groups of pupils: 2.5 − 1 = 1.5 is what a single difference is about."""
    record = record_of("triple differences", True)
    single, other = (main_of(record, "", f"known.{code}") for code in ("disadvantaged", "others"))
    assert not single["interval"]["lower"] < TRUE["disadvantaged"] < single["interval"]["upper"]
    assert single["interval"]["lower"] < TRUE["disadvantaged"] - 1.0 < single["interval"]["upper"]
    assert other["interval"]["lower"] < -1.0 < other["interval"]["upper"]


def test_a_roll_that_is_the_same_in_every_year_is_matched_on_once(england, tmp_path):
    path = made(tmp_path / "known", england, "triple differences of areas")
    design = open_design(str(path), str(england)).primary.details.locked.outcomes["known.disadvantaged"]
    # the table has one roll a school, so that the cohorts of 2022 and of 2023 are one covariate
    assert set(design.matches) == {"matched", "matched_without_outcomes"}
    pairs = design.matches["matched_without_outcomes"]
    assert np.isfinite(pairs.distance[pairs.partners >= 0]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PROJECTS))
def test_a_whole_run_says_the_same(record_of, england, tmp_path, name):
    path = made(tmp_path / "known", england, name)
    ran = typed("run", path, "--data", england, "--out", tmp_path / "out")
    assert ran.code == 0, ran.stderr
    written = json.loads((tmp_path / "out" / "known" / "results.json").read_text(encoding="utf-8"))
    assert main_of(written, name) == main_of(record_of(name, True), name)


def test_the_two_differ_in_the_planted_columns_alone(england, quiet):
    for path in sorted((england / KNOWN_FOLDER).iterdir()):
        same = path.read_bytes() == (quiet / KNOWN_FOLDER / path.name).read_bytes()
        assert same == (path.name not in ("areas.csv", "audit_answers.csv", "audit_ratings.csv", "schools.csv")), (
            path.name
        )
