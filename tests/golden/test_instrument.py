"""Anderson–Rubin sets of trials with one instrument, against the exact roots of R (AER, sandwich, clubSandwich)."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from scipy.stats import f as snedecor

from evalkit.estimate.dose.take_up_arrays import quadratic_set
from evalkit.estimate.least_squares_arrays import cluster_error, least_squares, row_error

ERRORS = ("classical", "HC1", "cluster_CR1_stata")
SHAPES = {1: "interval", 2: "two rays", 3: "whole line"}


@pytest.fixture(scope="module")
def trials(golden):
    folder = golden / "kinds" / "02_instrument"
    values = pd.read_csv(folder / "expected.csv").set_index(["case", "quantity"])["value"]
    return pd.read_csv(folder / "trial.csv"), values


def joint(rows, outcomes, prior, kind):
    """Return effects on both outcomes and the variance of each and of their sum."""
    school = np.unique(rows["school"], return_inverse=True)[1]
    order = np.argsort(school, kind="stable")
    others = np.ones((len(rows), 1)) if not prior else np.column_stack([np.ones(len(rows)), rows["prior"]])
    made = []
    for outcome in (*outcomes, outcomes[0] + outcomes[1]):
        assigned = rows[["assigned"]].to_numpy(float)[order]
        fit = least_squares(outcome[order], assigned, others[order], np.ones(len(rows)), school[order])
        error = cluster_error(fit, 0, "CR1S").std_error if kind.startswith("cluster") else row_error(fit, 0, kind)
        made.append((float(fit.coefficients[0]), error**2))
    (g, v_g), (p, v_p), (_, v_sum) = made
    df = school.max() if kind.startswith("cluster") else len(rows) - others.shape[1] - 1
    return (g, p), (v_g, (v_sum - v_g - v_p) / 2, v_p), df


def test_sets_have_the_shape_and_the_ends_of_the_reference(trials):
    table, values = trials
    seen = set()
    for case in sorted({case for case, quantity in values.index if "anderson_rubin_shape" in quantity}):
        design, _, held = case.partition("/")
        rows = table[table["design"] == design]
        prior = held.startswith("with_")
        outcomes = rows["score"].to_numpy(float), rows["took_part"].to_numpy(float)
        for kind in ERRORS:
            effect, variance, df = joint(rows, outcomes, prior, kind)
            for reference, critical in (("F", snedecor.ppf(0.95, 1, df)), ("chi2", chi2.ppf(0.95, 1))):
                mark = f"[{kind},{reference}]"
                found = quadratic_set(effect, variance, float(critical), 0.95)
                assert found.shape == SHAPES[int(values[case, f"anderson_rubin_shape{mark}"])], (case, mark)
                seen.add(found.shape)
                statistic = values[case, f"anderson_rubin_statistic_at_0{mark}"]
                # twelve digits in the reference; the covariance from a sum of errors loses some
                assert effect[0] ** 2 / variance[0] == pytest.approx(statistic, rel=1e-9)
                if found.shape == "whole line":
                    continue
                ends = [end for part in found.parts for end in part if math.isfinite(end)]
                wanted = [values[case, f"anderson_rubin_root_{side}{mark}"] for side in ("low", "high")]
                assert ends == pytest.approx(wanted, rel=1e-7, abs=1e-8), (case, mark)
    assert seen == {"interval", "two rays"}  # no trial of the reference leaves the whole line
