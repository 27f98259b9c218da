"""The kind `pupils` on simulated pupils: bias, and how often its intervals hold the truth.

Areas have shocks of their own, so that the model's own error is too small and what judges it in its place is tested.
Monte Carlo error of a share q over n draws is √(q(1 − q)/n): at 95%, 4.4 points over 25 draws, 1.1 over 400.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.core.quantities import Interval
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import no_sources
from evalkit.data.synthetic.later import draw_later, draw_later_summers
from evalkit.data.synthetic.pupils import write_pupils
from evalkit.data.synthetic.register import draw_identities
from evalkit.data.synthetic.world import draw_primaries
from evalkit.data.synthetic_edition import DEFAULT_SEED
from evalkit.diagnose.kinds.pupils import pupil_outcomes
from evalkit.diagnose.kinds.pupils_effects import effects_of_outcome
from evalkit.run.kinds.registry import design_project
from evalkit.run.notebooks.session import open_evaluation
from evalkit.run.project.project_file import load_project
from tests.pupil_tables import made, pupil_table, two_waves

SHORT, LONG = 25, 400
EFFECT = 1.5
AREA_SD, SCHOOL_SD, PUPIL_SD = 1.0, 1.5, 6.0


@pytest.fixture(scope="module")
def designed(tmp_path_factory):
    """Return a function that gives project, plan and data of a made-up project, made once each."""

    @cache
    def make(model: str, n_treated_areas: int):
        waves = model == "waves"
        table = (two_waves if waves else pupil_table)(60, n_treated_areas, n_pupils=8, effect=0.0)
        folder = tmp_path_factory.mktemp(f"{model}-{n_treated_areas}")
        path = made(folder, table, options=f", model: {model}", pre="2017" if waves else "2016, 2017")
        project, sources = load_project(path), no_sources(folder)
        plan = design_project(project, read_baseline(project, folder, sources)).primary
        return plan, read_records(project, folder, sources)

    return make


def drawn(plan, intake, name: str, n: int) -> np.ndarray:
    """Return estimate, whether the interval holds the truth, and the model's estimate, of n draws."""
    outcome = plan.details.outcomes["pupils.score"]
    rows = intake.people["pupils"]
    area = outcome.area.reindex(rows.units).to_numpy()[rows.unit]
    is_treated = np.isin(rows.unit, rows.units.get_indexer(outcome.treated))
    areas, at = np.unique(area, return_inverse=True)
    after = (rows.period == 2018).astype(float)
    n_people, n_units = int(rows.person.max()) + 1, len(rows.units)
    rng, found = stream(11, f"pupils kind {name}"), []
    for _ in range(n):
        lasting = rng.normal(0, 3, n_units)[rows.unit] + rng.normal(0, 4, n_people)[rows.person]
        shock = rng.normal(0, AREA_SD, len(areas))[at] + rng.normal(0, SCHOOL_SD, n_units)[rows.unit]
        score = lasting + after * (shock + EFFECT * is_treated) + rng.normal(0, PUPIL_SD, len(rows))
        people = {"pupils": replace(rows, values={**rows.values, "score": score})}
        results = pupil_outcomes(plan.project, plan.details, replace(intake, people=people))
        effects = list(effects_of_outcome(results.primary, plan.details))
        led = effects[0]
        assert isinstance(led.interval, Interval)
        model = next(one for one in effects if one.design == "two-level")
        found.append((led.estimate, EFFECT in led.interval, model.estimate))
    return np.array(found, dtype=float)


CASES = [("cross-sections", 3), ("cross-sections", 25), ("waves", 25)]


def check(plan, intake, name: str, n: int) -> None:
    estimate, holds, model = drawn(plan, intake, name, n).T
    for each in (estimate, model):
        assert abs(each.mean() - EFFECT) < 3 * each.std(ddof=1) / np.sqrt(n)
    assert holds.mean() >= 0.93 - 2 * np.sqrt(0.95 * 0.05 / n)


@pytest.mark.parametrize(("model", "n_treated_areas"), CASES[:2])
def test_bias_and_coverage(designed, model, n_treated_areas):
    check(*designed(model, n_treated_areas), f"{model} {n_treated_areas}", SHORT)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "n_treated_areas"), [*CASES, ("waves", 3), ("cross-sections", 1)])
def test_bias_and_coverage_over_400_draws(designed, model, n_treated_areas):
    check(*designed(model, n_treated_areas), f"{model} {n_treated_areas}", LONG)


ENGLAND = """\
schema_version: 2
slug: support
title: Pupils of the synthetic England
question: Did pupils do better?
programme: {name: Support, place: made up, funder: nobody, aim: to raise scores, start: 2023-09-01, end: 2025-07-31}
data:
  kind: synthetic
  tables:
    pupils: {file: pupils/synthetic_pupils.csv, unit: URN, person: PupilMatchingRefAnonymous, period: AcademicYear,
             area: LA}
participants: {file: participants.csv}
outcomes:
  - {table: pupils, column: KS2_READSCORE, label: Reading, role: primary}
  - {table: pupils, column: KS2_GPSSCORE, label: Grammar, role: placebo}
exposure: {pre: [2023], post: [2024, 2025]}
disclosure: {threshold: 10}
analyses:
  - {name: pupils, kind: pupils, primary: true, covariates: [pupils.EVERFSM_6]}
"""


@pytest.mark.slow
def test_the_effect_planted_in_the_synthetic_englands_pupils_is_in_the_interval(tmp_path):
    """An extract as of the National Pupil Database: 0.6 points in 2024 and 1.2 in 2025, nothing in grammar."""
    schools = draw_primaries(DEFAULT_SEED, 1.0)
    later = draw_later(DEFAULT_SEED, schools, draw_identities(DEFAULT_SEED, schools, 1.0), 1.0)
    write_pupils(tmp_path, DEFAULT_SEED, later, draw_later_summers(DEFAULT_SEED, later))
    table = pd.read_csv(tmp_path / "pupils" / "synthetic_pupils.csv", dtype=str)
    known = table["URN"].unique()
    supported = [str(urn) for urn in later.urn(2023)[later.is_supported] if str(urn) in known]
    (tmp_path / "participants.csv").write_text("URN\n" + "\n".join(supported) + "\n", encoding="utf-8")
    (tmp_path / "project.yml").write_text(ENGLAND, encoding="utf-8")
    evaluation = open_evaluation(str(tmp_path / "project.yml"))
    assert evaluation.data_kind == "synthetic"
    results = evaluation.primary
    reading, grammar = results.main("pupils.KS2_READSCORE"), results.main("pupils.KS2_GPSSCORE")
    assert 0.9 in reading.interval
    assert reading.estimate == pytest.approx(0.9, abs=0.6)
    assert 0.0 in grammar.interval
