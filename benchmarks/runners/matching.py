"""What every runner of the matching benchmark does: read, take in, match, and say how good the match is."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common import clock, hold_to_memory, peak_mb, tell

COVARIATES = [f"x{at}" for at in range(1, 9)]
FROM_CSV = ("score-greedy",)
"""Tasks that begin with the file as it is published; the others read the same table as Parquet."""
Answer = dict[str, float]


@dataclass
class Steps:
    """How a package does one task.

    `prepare(table)` gives the table the form the package asks for, untimed; `take_in(tool, form)` makes the package's
    own object of it; `work(tool, object)` is the step itself; `answer(table, result)` reads the result, untimed.
    """

    prepare: Callable[[Any], Any]
    take_in: Callable[[Any, Any], Any]
    work: Callable[[Any, Any], Any]
    answer: Callable[[Any, Any], Answer]


def measure(load: Callable[[str], Any], tasks: dict[str, Steps]) -> None:
    """Run the task that the command line names and print its figures as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("task", choices=list(tasks))
    given = parser.parse_args()
    steps, figures = tasks[given.task], {}
    hold_to_memory()
    with contextlib.redirect_stdout(sys.stderr):
        with clock(figures, "import"):
            tool = load(given.task)
        import pandas as pd

        with clock(figures, "read"):
            table = pd.read_csv(given.data) if given.task in FROM_CSV else pd.read_parquet(given.data)
        form = steps.prepare(table)
        with clock(figures, "intake"):
            held = steps.take_in(tool, form)
        figures["peak_before_mb"] = peak_mb()
        with clock(figures, "step"):
            result = steps.work(tool, held)
        figures["peak_step_mb"] = peak_mb()
        answer = steps.answer(table, result)
    both = {f"work_{kind}": figures[f"intake_{kind}"] + figures[f"step_{kind}"] for kind in ("cpu", "wall")}
    tell(figures | both | answer)


def same(table):
    """Return the table as it is."""
    return table


def of_pairs(table, treated, comparison, distance: str) -> Answer:
    """Return what pairs come to, given rows of the table: total distance, units used, difference in outcomes."""
    import numpy as np

    treated, comparison = np.asarray(treated), np.asarray(comparison)
    points = coordinates(table, distance)
    apart = np.sqrt(((points[treated] - points[comparison]) ** 2).sum(axis=1))
    outcome = table["outcome"].to_numpy()
    n_partners = np.bincount(treated, minlength=len(table))
    share = 1 / n_partners[treated]
    used = np.unique(treated)
    effect = outcome[used].mean() - (share * outcome[comparison]).sum() / len(used)
    counts = {"n_treated": len(used), "n_comparison": len(np.unique(comparison))}
    return {"total_distance": float(apart.sum()), "effect": float(effect)} | counts


def of_sets(table, sets) -> Answer:
    """Return the total distance of matched sets from the one unit that each is around; −1 for units in none."""
    import numpy as np

    sets, treated, score = np.asarray(sets), table["treated"].to_numpy() == 1, table["score"].to_numpy()
    inside, n_sets = sets >= 0, int(sets.max()) + 1
    sizes = [np.bincount(sets[inside & arm], minlength=n_sets) for arm in (treated, ~treated)]
    if not ((np.minimum(*sizes) == 1) | (np.maximum(*sizes) == 0)).all():
        raise ValueError("a set is around no single unit")
    around_treated = sizes[0] == 1
    is_centre = inside & (treated == around_treated[np.maximum(sets, 0)])
    centre = np.zeros(n_sets)
    centre[sets[is_centre]] = score[is_centre]
    rest = inside & ~is_centre
    total = np.abs(score[rest] - centre[sets[rest]]).sum()
    counts = {"n_treated": int((inside & treated).sum()), "n_comparison": int((inside & ~treated).sum())}
    return {"total_distance": float(total)} | counts


def of_weights(table, weights) -> Answer:
    """Return the weighted difference in outcomes, and the largest difference in means, in SDs of the treated."""
    import numpy as np

    treated, outcome = table["treated"].to_numpy() == 1, table["outcome"].to_numpy()
    weights, x = np.asarray(weights, dtype=float), table[COVARIATES].to_numpy()
    means = [np.average(x[arm], axis=0, weights=weights[arm]) for arm in (treated, ~treated)]
    effects = [np.average(outcome[arm], weights=weights[arm]) for arm in (treated, ~treated)]
    apart = np.abs(means[0] - means[1]) / x[treated].std(axis=0, ddof=1)
    return {"effect": float(effects[0] - effects[1]), "imbalance": float(apart.max())}


def of_balance(before, after, ratios) -> Answer:
    """Return the mean size of standardised differences before and after, and the mean variance ratio after."""
    import numpy as np

    sizes = {"smd_before": before, "smd_after": after, "variance_ratio": ratios}
    return {name: float(np.mean(np.abs(values))) for name, values in sizes.items() if values is not None}


def coordinates(table, distance: str):
    """Return points, shape (n_units, k), whose Euclidean distance is that of scores or the Mahalanobis distance.

    The latter's covariance is that within the arms, pooled over their degrees of freedom.
    """
    import numpy as np

    if distance == "score":
        return table["score"].to_numpy()[:, None]
    x, treated = table[COVARIATES].to_numpy(), table["treated"].to_numpy() == 1
    centred = [x[arm] - x[arm].mean(axis=0) for arm in (treated, ~treated)]
    covariance = (centred[0].T @ centred[0] + centred[1].T @ centred[1]) / (len(x) - 2)
    return np.ascontiguousarray(x @ np.linalg.cholesky(np.linalg.inv(covariance)))


def rows_of(table, ids):
    """Return the rows of ids, which are sorted in the table."""
    import numpy as np

    return np.searchsorted(table["id"].to_numpy(), np.asarray(ids))
