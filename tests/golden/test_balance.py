"""Balance of every reference design, on lalonde and on 16,800 schools, to eight digits of MatchIt 4.7.2's summary."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.matched.balance import match_balance
from tests.golden_designs import lalonde_design, school_design

STATISTICS = ("smd", "var_ratio", "ecdf_mean", "ecdf_max", "pair_dist")
KEYS = {
    "smd": "smd",
    "var_ratio": "variance_ratio",
    "ecdf_mean": "ecdf_mean",
    "ecdf_max": "ecdf_max",
    "pair_dist": "pair_distance",
}
LALONDE_SPECS = [
    "cem",
    "cem_cut",
    "cem_k2k",
    "exact",
    "exact_ate",
    "full_ate",
    "full_att",
    "full_mm",
    "nn_antiexact_married",
    "nn_atc",
    "nn_caliper01",
    "nn_caliper01_rep",
    "nn_caliper_age5",
    "nn_closest",
    "nn_data",
    "nn_discard_both",
    "nn_exact_race",
    "nn_exact_race_ratio2",
    "nn_linlogit",
    "nn_maha",
    "nn_maha_exact",
    "nn_maha_rep5",
    "nn_mahvars_cal",
    "nn_probit",
    "nn_ps",
    "nn_ratio2",
    "nn_replace",
    "nn_replace_r3",
    "nn_reuse3",
    "nn_robmaha",
    "nn_scaledeuc",
    "nn_smallest",
    "nn_varratio",
    "opt_exact_race_maha",
    "opt_maha",
    "opt_ps",
    "opt_ratio2",
    "quick_att",
    "subclass5_ate",
    "subclass6",
]
SCHOOL_SPECS = ["cem", "exact", "full_exact", "nn_maha_rep5", "nn_ps", "nn_ps_ratio5", "opt_ps", "quick", "subclass5"]


def by_reference_name(name: str, levels: tuple[str, ...]) -> str:
    """Return MatchIt's name of a column: `raceblack` for `race_black`, `distance` for the score."""
    for level in levels:
        if name.startswith(f"{level}_"):
            return level + name.removeprefix(f"{level}_")
    return "distance" if name == "score" else name


def require_equal(design, folder, spec, levels):
    balance = match_balance(design)
    rows = pd.read_csv(folder / "balance_summary.csv")
    rows = rows[rows["spec"] == spec].set_index(["sample", "covariate"])
    compared = 0
    for row in balance.rows:
        name = by_reference_name(row.covariate, levels)
        for sample, values in (("all", row.before), ("matched", row.after)):
            if (sample, name) not in rows.index:
                continue
            said = rows.loc[(sample, name)]
            assert values.mean_treated == pytest.approx(said["mean_treated"], rel=1e-8, abs=1e-10)
            assert values.mean_comparison == pytest.approx(said["mean_control"], rel=1e-8, abs=1e-10)
            for statistic in STATISTICS:
                if statistic in said.index and np.isfinite(said[statistic]):
                    found = getattr(values, KEYS[statistic])
                    if isinstance(found, Unavailable):
                        # No pairs in the reference's files, or an arm without spread.
                        assert statistic in ("pair_dist", "var_ratio"), (spec, name, sample, statistic, found)
                        continue
                    if statistic == "pair_dist" and abs(said["smd"]) < 1e-8:
                        found *= row.denominator  # where means are equal the reference leaves the distance undivided
                    assert found == pytest.approx(said[statistic], rel=1e-8, abs=1e-9), (spec, name, sample, statistic)
                    compared += 1
    assert compared >= 8, (spec, compared)


@pytest.mark.parametrize("spec", LALONDE_SPECS)
def test_lalonde(golden, spec):
    folder = golden / "matching"
    require_equal(lalonde_design(folder, spec), folder / "lalonde_matchit_4.7.2", spec, ("race",))


@pytest.mark.parametrize("spec", SCHOOL_SPECS)
def test_schools(golden, spec):
    folder = golden / "matching"
    require_equal(school_design(folder, spec), folder / "school", spec, ("phase", "region"))
