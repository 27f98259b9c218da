"""Imputation, Sun and Abraham, extended two-way and two-stage estimates beside those of other programs.

Reference values: didimputation 0.5.0, did2s 1.2.1, fixest 0.14.2 (R 4.2.2) and etwfe; data sets and values in
shared/golden/did. didimputation and did2s take effects out by iteration, which leaves 1e-7 of the estimate and up to
1e-7 of the outcome's spread.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Estimate, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.cells import StaggeredRows
from evalkit.estimate.staggered.extended import extended_effects
from evalkit.estimate.staggered.imputation import imputation_effects, two_stage_effects
from evalkit.estimate.staggered.imputation_leads import imputation_leads
from evalkit.estimate.staggered.summaries import effects_by_cohort, event_study, overall_effect
from evalkit.estimate.staggered.sun_abraham import sun_abraham_effects
from evalkit.estimate.two_way.absorbed_arrays import Absorbed, Regressors

EXACT = 1e-9
ITERATED = 2e-7
"""Relative difference that the reference's iteration leaves."""


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "did"


def design_of(frame, comparison="never", **roles):
    return staggered_design(Panel.from_frame(frame, Roles(**roles)), StaggeredOptions(comparison=comparison))


@pytest.fixture(scope="module")
def counties(folder):
    """500 counties over five years, cohorts 2004, 2006 and 2007."""
    frame = pd.read_csv(folder / "mpdta.csv")
    return frame.assign(cohort=frame["first.treat"].where(frame["first.treat"] > 0))


@pytest.fixture(scope="module")
def states(folder):
    """Units of 40 states over 31 years, cohorts 2000 and 2010, clustered by state."""
    frame = pd.read_csv(folder / "df_het_trim.csv")
    frame["cohort"] = frame["g"].where(frame["g"].between(1991, 2020))
    return design_of(frame, unit="unit", period="year", outcome="dep_var", cohort="cohort", cluster="state")


def of_counties(frame, comparison="never", covariates=()):
    return design_of(
        frame, comparison, unit="countyreal", period="year", outcome="lemp", cohort="cohort", covariates=covariates
    )


def assert_overall(effects, value, error, rtol):
    estimate = overall_effect(effects).estimate
    assert estimate.value == pytest.approx(value, rel=rtol)
    assert estimate.std_error == pytest.approx(error, rel=rtol)


def event_times(file):
    """Return a reference's estimates and errors by event time."""
    table = pd.read_csv(file)
    numbers = table["term"].astype(str).str.extract(r"(-?\d+)$")[0]
    table = table[~table["term"].astype(str).str.fullmatch(r"x\d")].assign(time=numbers).set_index("time")
    table.index = table.index.astype(int)
    return table.iloc[:, [1, 2]].set_axis(["value", "error"], axis=1)


def assert_event_study(effects, table, rtol, atol=0.0):
    found = {part.label: part.estimate for part in event_study(effects).parts}
    for time, row in table.iterrows():
        assert found[time].value == pytest.approx(row["value"], rel=rtol, abs=atol), time
        assert found[time].std_error == pytest.approx(row["error"], rel=rtol, abs=atol), time


def test_imputation_of_the_counties(counties, folder):
    effects = imputation_effects(of_counties(counties))
    assert_overall(effects, -4.77099151095e-02, 0.0132224886500, ITERATED)
    table = event_times(folder / "golden_bjs_mpdta_event.csv")
    assert_event_study(effects, table.loc[0:], ITERATED)
    assert_leads(imputation_leads(of_counties(counties), 3), table.loc[:-1])


def test_imputation_of_the_states(states, folder):
    effects = imputation_effects(states)
    assert_overall(effects, 2.23048156241, 0.0176832613593, ITERATED)
    table = event_times(folder / "golden_bjs_df_het_event.csv")
    assert len(table) == 26
    assert_event_study(effects, table.loc[0:], ITERATED)
    assert_leads(imputation_leads(states, 5), table.loc[:-1])


def assert_leads(leads, table):
    for time, estimate in zip(leads.times, leads.estimates, strict=True):
        assert estimate.value == pytest.approx(table.loc[time, "value"], rel=ITERATED)
        assert estimate.std_error == pytest.approx(table.loc[time, "error"], rel=ITERATED)


@pytest.fixture(scope="module")
def castle(folder):
    return pd.read_csv(folder / "castle_did2s.csv")


def test_imputation_of_the_castle_laws(castle):
    # the cohort is the year the law took effect
    frame = castle.assign(cohort=castle["effyear"].where(castle["effyear"] > 0))
    design = design_of(frame, unit="state", period="year", outcome="l_homicide", cohort="cohort")
    assert_overall(imputation_effects(design), 7.98015472934e-02, 0.0608839795275, ITERATED)


def test_two_stage_of_the_castle_laws(castle):
    # the cohort is the first year with `post`, one later than the year of the law; weighted by population
    start = castle[castle["post"] > 0].groupby("state")["year"].min()
    frame = castle.assign(cohort=castle["state"].map(start))
    design = design_of(frame, unit="state", period="year", outcome="l_homicide", cohort="cohort", weight="popwt")
    assert_overall(two_stage_effects(design), 7.51416411198e-02, 0.0353795061449, ITERATED)
    parts = {part.label: part.estimate for part in effects_by_cohort(two_stage_effects(design)).parts}
    assert isinstance(parts[2006].std_error, Unavailable)  # Florida alone


def test_two_stage_of_the_counties(counties):
    assert_overall(two_stage_effects(of_counties(counties)), -4.77099151095e-02, 0.0134784088237, ITERATED)


def test_two_stage_of_the_states(states, folder):
    effects = two_stage_effects(states)
    assert_overall(effects, 2.23048156241, 0.0247086082726, ITERATED)
    # the reference's event study has unit effects in its first stage; before the start its values are means of
    # residuals near 0, which its iteration moves by up to 3e-6 of them
    assert_event_study(effects, event_times(folder / "golden_did2s_df_het_event.csv"), ITERATED, atol=1e-7)


def test_two_stage_of_the_states_with_state_effects(states):
    assert_overall(two_stage_effects(states, effects="cluster"), 2.15221463241, 0.0476065949730, ITERATED)


def test_sun_abraham_of_the_counties(counties, folder):
    effects = sun_abraham_effects(of_counties(counties))
    assert_overall(effects, -3.99512751552e-02, 0.0117962774418, EXACT)
    assert_event_study(effects, event_times(folder / "golden_sunab_mpdta_period.csv"), EXACT)


@pytest.fixture(scope="module")
def staggered(folder):
    """95 units over ten years with a covariate, nine cohorts and never-treated units."""
    frame = pd.read_csv(folder / "base_stagg.csv")
    frame["cohort"] = frame["year_treated"].where(frame["year_treated"] <= 10)
    return design_of(frame, unit="id", period="year", outcome="y", cohort="cohort", covariates=("x1",))


def test_sun_abraham_with_a_covariate(staggered, folder):
    effects = sun_abraham_effects(staggered)
    assert_overall(effects, -1.13374944877, 0.2050704937615, EXACT)
    assert_event_study(effects, event_times(folder / "golden_sunab_base_stagg_period.csv"), EXACT)
    cohorts = event_times(folder / "golden_sunab_base_stagg_cohort.csv")
    found = {part.label: part.estimate for part in effects_by_cohort(effects).parts}
    assert sorted(found) == sorted(cohorts.index)
    for cohort, row in cohorts.iterrows():
        assert (found[cohort].value, found[cohort].std_error) == pytest.approx((row["value"], row["error"]), rel=EXACT)


def test_sun_abraham_cell_by_cell(staggered, folder):
    effects = sun_abraham_effects(staggered)
    table = pd.read_csv(folder / "golden_sunab_base_stagg_disagg.csv").iloc[1:]
    keys = table["term"].str.extract(r"year::(-?\d+):cohort::(\d+)").astype(int)
    places = [(cell.cohort, cell.event_time) for cell in effects.cells]
    at = [places.index((cohort, time)) for time, cohort in keys.itertuples(index=False)]
    assert len(at) == sum(not cell.is_reference for cell in effects.cells) == 81
    np.testing.assert_allclose(effects.values[at], table["Estimate"], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(effects.covariance))[at], table["Std..Error"], rtol=EXACT)


def test_the_covariate_of_sun_abraham(staggered):
    # x1 .994678310856712 (.0183781319459925)
    rows, effects = StaggeredRows.of(staggered), sun_abraham_effects(staggered)
    code = rows.stratum * rows.n_periods + rows.period
    n_codes = (len(staggered.cohorts) + 1) * rows.n_periods
    none = np.empty((len(code), 0))
    absorbed = Absorbed.of(Regressors(rows.unit, code, rows.weight, rows.n_units, n_codes, none, rows.covariates))
    fit = absorbed.fit(rows.outcome)
    own = np.eye(n_codes + 1)[:, -1:]
    contribution = absorbed.contributions(fit.residuals, own, rows.cluster, rows.n_units)
    assert fit.coefficients[-1] == pytest.approx(0.994678310856712, rel=EXACT)
    assert np.sqrt(effects.factor * (contribution**2).sum()) == pytest.approx(0.0183781319459925, rel=EXACT)


def test_extended_two_way_cell_by_cell(counties, folder):
    effects = extended_effects(of_counties(counties, "not-yet"))
    table = pd.read_csv(folder / "golden_etwfe_mpdta_cells.csv")
    keys = table["term"].str.extract(r"g::(\d+):year::(\d+)").astype(int)
    assert [(cell.cohort, cell.period) for cell in effects.cells] == list(keys.itertuples(index=False, name=None))
    np.testing.assert_allclose(effects.values, table["Estimate"], rtol=EXACT)
    np.testing.assert_allclose(np.sqrt(np.diag(effects.covariance))[: len(table)], table["Std..Error"], rtol=EXACT)


def test_extended_two_way_with_a_covariate(counties):
    # from a thread of the reference implementation (grantmcdermott/etwfe, issue 33), to the digits printed there
    estimate = overall_effect(extended_effects(of_counties(counties, "not-yet", ("lpop",)))).estimate
    assert isinstance(estimate, Estimate)
    assert (round(estimate.value, 8), round(estimate.std_error, 8)) == (-0.05062703, 0.01249979)
