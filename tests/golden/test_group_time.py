"""Group-time effects against R did 2.5.1 (with DRDID 1.2.3), and its tables as committed by csdid, on the mpdta data.

Everything agrees to 1e-8 relative: propensity scores are iterated to convergence on both sides, and the reference is
written with 12 digits of errors. Data and tables stand in ../shared/golden/did; see its README for how they were made.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.bands import Uncertainty, errors_of, simultaneous_bands, with_error
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.pre_test import large_sample_pre_test
from evalkit.estimate.staggered.summaries import (
    combination,
    effects_by_cohort,
    effects_by_period,
    event_study,
    overall_effect,
)

EXACT = 1e-8
COMPARISONS = {"nevertreated": "never", "notyettreated": "not-yet"}


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "did"


def table(path):
    """Return a data set with a missing cohort for the never treated, who have the cohort 0 in R."""
    rows = pd.read_csv(path)
    return rows.assign(**{"first.treat": rows["first.treat"].replace(0, np.nan)})


def reference(path):
    """Return a table of R: fields are padded with blanks, and NA stands for no error."""
    return pd.read_csv(path, skipinitialspace=True, na_values=["NA"], dtype={"e": str, "egt": str, "Wpval": str})


def roles(covariates=(), **more):
    return Roles(unit="countyreal", period="year", outcome="lemp", cohort="first.treat", covariates=covariates, **more)


def estimated(rows, options=None, method="dr", chosen=None, source=Panel):
    return group_time_effects(staggered_design(source.from_frame(rows, chosen or roles()), options), method)


def cells(effects):
    """Return value and error of every cell; a cell that is zero by definition has no error."""
    errors = np.sqrt(np.diagonal(effects.covariance))
    return {
        (cell.cohort, cell.period): (cell.value, None if cell.is_reference else errors[at])
        for at, cell in enumerate(effects.cells)
    }


def summaries(effects):
    """Return every summary under R's names."""
    found = {("simple", "overall"): overall_effect(effects)}
    verbs = {"group": effects_by_cohort, "dynamic": event_study, "calendar": effects_by_period}
    for name, verb in verbs.items():
        found[name, "overall"] = verb(effects).overall
        found |= {(name, str(part.label)): part for part in verb(effects).parts}
    return found


def require_cells(effects, expected):
    found = cells(effects)
    assert len(found) == len(expected) > 0
    for row in expected.itertuples():
        value, error = found[row.group, row.t]
        assert value == pytest.approx(row.att, rel=EXACT, abs=1e-15)
        assert (error is None) == np.isnan(row.se)
        if error is not None:
            assert error == pytest.approx(row.se, rel=EXACT)


SETTINGS = [
    (method, group, formula, base)
    for method in ("dr", "ipw", "reg")
    for group in COMPARISONS
    for formula in ("~1", "~lpop")
    for base in ("varying", "universal")
]


@pytest.mark.parametrize(("method", "group", "formula", "base"), SETTINGS)
def test_every_cell_and_summary_of_did(folder, method, group, formula, base):
    options = StaggeredOptions(comparison=COMPARISONS[group], base_period=base)
    effects = estimated(table(folder / "mpdta.csv"), options, method, roles(("lpop",) if formula == "~lpop" else ()))
    chosen = f"est == '{method}' and cg == '{group}' and xf == '{formula}' and bp == '{base}'"
    require_cells(effects, reference(folder / "golden_mpdta_attgt_R_did251.csv").query(chosen))
    expected = reference(folder / "golden_mpdta_aggte_R_did251.csv").query(chosen)
    found = summaries(effects)
    assert {(row.type, row.e) for row in expected.itertuples()} == set(found)
    for row in expected.itertuples():
        estimate = found[row.type, row.e].estimate
        assert estimate.value == pytest.approx(row.att, rel=EXACT, abs=1e-15)
        if np.isnan(row.se):
            assert isinstance(estimate.std_error, Unavailable)
        else:
            assert estimate.std_error == pytest.approx(row.se, rel=EXACT)


@pytest.mark.parametrize(("method", "group", "formula", "base"), SETTINGS)
def test_the_joint_test_of_effects_before_the_start(folder, method, group, formula, base):
    options = StaggeredOptions(comparison=COMPARISONS[group], base_period=base)
    effects = estimated(table(folder / "mpdta.csv"), options, method, roles(("lpop",) if formula == "~lpop" else ()))
    chosen = f"est == '{method}' and cg == '{group}' and xf == '{formula}' and bp == '{base}'"
    rows = reference(folder / "golden_mpdta_attgt_R_did251.csv").query(chosen)
    found = large_sample_pre_test(effects)
    assert found.statistic == pytest.approx(float(rows["W"].iloc[0]), rel=EXACT)
    assert found.p_value == pytest.approx(float(rows["Wpval"].iloc[0]), abs=5.1e-6)  # R rounds it to 5 decimals
    assert found.df == 5


def test_the_joint_test_as_typed_from_r(folder):
    # did 2.5.1, dr, never-treated, ~1: W = 7.791236627, p = .16812
    found = large_sample_pre_test(estimated(table(folder / "mpdta.csv")))
    assert found.statistic == pytest.approx(7.791236627, abs=5e-10)
    assert found.p_value == pytest.approx(0.16812, abs=5e-6)


VARIANTS = {
    "repeated_cs": {"source": CrossSections},
    "anticipation1": {"options": StaggeredOptions(anticipation=1)},
    "unbalanced_allow": {"options": StaggeredOptions(unbalanced="levels")},
    "unbalanced_dropped": {"options": StaggeredOptions(unbalanced="complete")},
    "weights_lpop": {"chosen": roles(("lpop",), weight="w")},
}


@pytest.fixture(scope="module")
def variants(folder):
    """The effects of every variant, by its name in the reference."""
    whole, partial = table(folder / "mpdta.csv"), table(folder / "mpdta_unbalanced.csv")
    weighted = whole.merge(pd.read_csv(folder / "mpdta_weights.csv"), on=["year", "countyreal"])
    data = {"unbalanced_allow": partial, "unbalanced_dropped": partial, "weights_lpop": weighted}
    return {name: estimated(data.get(name, whole), **how) for name, how in VARIANTS.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_cross_sections_unbalanced_panels_weights_and_anticipation(folder, variants, name):
    expected = reference(folder / "golden_mpdta_variants_R_did251.csv").query("spec == @name")
    effects = variants[name]
    if name == "anticipation1":  # R prints 8 cells, of the cohorts 2006 and 2007; 2004 has no period before
        assert effects.design.cohorts == (2006, 2007)
    require_cells(effects, expected)


@pytest.mark.parametrize(
    ("name", "value", "error", "digits"),
    [("unbalanced_allow", -0.0255441, 0.0353546, 5e-8), ("unbalanced_dropped", -0.0522248, 0.0136636, 5e-8)],
)
def test_the_overall_effect_of_an_unbalanced_panel(variants, name, value, error, digits):
    # did 2.5.1, allow_unbalanced_panel = TRUE and FALSE; 406 of 500 units are left in the latter
    found = overall_effect(variants[name]).estimate
    assert found.value == pytest.approx(value, abs=digits)
    assert found.std_error == pytest.approx(error, abs=digits)
    assert len(variants["unbalanced_dropped"].design.panel.units) == 406


def test_pairs_of_an_unbalanced_panel_lie_between(folder):
    """Pairs have no reference in R. With cells weighted by their own counts they give diff-diff's −.0462.

    Cohorts weigh by the units an effect can rest on: four treated units that lack one side of the start are left out.
    """
    effects = estimated(table(folder / "mpdta_unbalanced.csv"))
    assert overall_effect(effects).estimate.value == pytest.approx(-0.0458277595, abs=1e-9)
    after = [cell for cell in effects.cells if cell.event_time >= 0]
    by_count = sum(cell.value * cell.n_treated for cell in after) / sum(cell.n_treated for cell in after)
    assert by_count == pytest.approx(-0.0462, abs=5e-5)


CSDID = {
    "mpdta_nev_dr": ("dr", "never", ()),
    "mpdta_nyt_dr": ("dr", "not-yet", ()),
    "mpdta_nev_ipw": ("ipw", "never", ()),
    "mpdta_nev_reg_cov": ("reg", "never", ("lpop",)),
}


@pytest.mark.parametrize("name", CSDID)  # the data of its fifth scenario, sim_nev_dr, are not at hand
def test_the_tables_committed_by_csdid(folder, name):
    method, comparison, covariates = CSDID[name]
    effects = estimated(table(folder / "mpdta.csv"), StaggeredOptions(comparison=comparison), method, roles(covariates))
    require_cells(effects, reference(folder / "csdid_ref_attgt.csv").query("scenario == @name"))
    expected, found = reference(folder / "csdid_ref_aggte.csv").query("scenario == @name"), summaries(effects)
    for row in expected.itertuples():
        overall = found[row.type, "overall"].estimate
        assert overall.value == pytest.approx(row.overall_att, rel=EXACT)
        assert overall.std_error == pytest.approx(row.overall_se, rel=EXACT)
        if row.type != "simple":
            part = found[row.type, row.egt].estimate
            assert part.value == pytest.approx(row.att_egt, rel=EXACT)
            assert part.std_error == pytest.approx(row.se_egt, rel=EXACT)
    assert len(expected) == 15


SEEDS = range(1, 31)


def critical_value(effects, options):
    """Return the factor of the band that holds for all twelve cells together."""
    errors, n = errors_of(effects, options), len(effects.cells)
    parts = tuple(combination(effects, one) for one in np.eye(n))
    bands = simultaneous_bands(errors, parts)
    factors = [
        (band.upper - band.lower) / 2 / with_error(errors, part).std_error
        for band, part in zip(bands, parts, strict=True)
    ]
    assert np.ptp(factors) < 1e-9
    return factors[0]


def test_the_critical_value_of_the_multiplier_bootstrap(folder):
    """R's 2.733968 is one set of 999 draws, and so is each of ours: they differ by Monte Carlo error alone.

    The error of one set is the standard deviation over seeds (some 0.05: a 95% quantile of 999 draws has the error
    √(.05 × .95/999)/f with the density f of the largest |t| near 0.14 there). R's value must lie within three of it
    from the mean over 30 seeds, whose own error is a fifth of that.
    """
    effects = estimated(table(folder / "mpdta.csv"))
    found = [critical_value(effects, Uncertainty(n_draws=999, seed=seed)) for seed in SEEDS]
    spread = np.std(found, ddof=1)
    assert 0.02 < spread < 0.08
    assert abs(np.mean(found) - 2.733968) < 3 * spread
    # normal draws with the cells' own correlation have heavier tails than signs of the 20 counties of cohort 2004
    assert 0 < critical_value(effects, Uncertainty()) - np.mean(found) < 0.2


def test_bootstrap_errors_are_the_analytic_ones_up_to_monte_carlo_error(folder):
    """The quartiles' distance of 999 draws has a relative error of 1.57/√(2 × 999) = 3.7%; of 30 seeds' mean 0.7%.

    Rademacher sums of 191 or more counties are normal enough for quartiles to 1%.
    """
    effects = estimated(table(folder / "mpdta.csv"))
    whole = overall_effect(effects)
    found = [with_error(errors_of(effects, Uncertainty(n_draws=999, seed=s)), whole).std_error for s in SEEDS]
    assert np.mean(found) == pytest.approx(whole.estimate.std_error, rel=3 * 0.007 + 0.01)
    assert 0.02 < np.std(found, ddof=1) / whole.estimate.std_error < 0.055
