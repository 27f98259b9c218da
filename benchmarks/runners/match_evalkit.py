"""The kit: intake is `Baseline.from_frame`, the step `match` and all its checks of the result (or the balance)."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
from matching import COVARIATES, Steps, measure, of_balance, of_pairs, of_sets, of_weights, same

MODULES = {
    "greedy": "design.nearest_neighbour",
    "score-greedy": "design.nearest_neighbour",
    "nearest-five": "design.nearest_neighbour",
    "optimal-score": "design.optimal_matching",
    "optimal-mahalanobis": "design.optimal_matching",
    "full": "design.full_matching",
    "entropy": "design.entropy_balancing",
    "inverse-probability": "design.inverse_probability",
    "balance": "diagnose.match_balance",
}
OWN = {"distance": "own", "own_score": "score"}


def load(task):
    import_module(f"evalkit.{MODULES[task]}")
    names = {
        "data.baseline": ("Baseline", "BaselineRoles"),
        "design.match": ("match",),
        "design.matched": ("MatchedDesign",),
    }
    kit = {name: getattr(import_module(f"evalkit.{home}"), name) for home, wanted in names.items() for name in wanted}
    options = import_module("evalkit.design.matching.options")
    diagnose = import_module("evalkit.diagnose.matched.balance") if task == "balance" else None
    return SimpleNamespace(**kit, options=options, diagnose=diagnose)


def with_score(kit, table):
    """Take in the table with its score, which the matching then starts from."""
    return baseline(kit, table, ("score",))


def baseline(kit, table, labels=()):
    roles = kit.BaselineRoles(treated="treated", covariates=tuple(COVARIATES), unit="id", labels=labels)
    return kit.Baseline.from_frame(table, roles)


def by(name, target="ATT", **chosen):
    return lambda kit, held: kit.match(held, getattr(kit.options, name)(**chosen), target)


def with_weights(kit, table):
    held = baseline(kit, table)
    return kit.MatchedDesign(
        baseline=held,
        option=kit.options.InverseProbability(),
        target="ATT",
        weights=table["weight"].to_numpy(),
        discarded=np.zeros(len(table), dtype=bool),
    )


def balance(kit, design):
    return kit.diagnose.match_balance(design)


def pairs(distance):
    return lambda table, design: of_pairs(table, design.pairs.treated, design.pairs.comparison, distance)


def own_score_pairs(table, design):
    table["score"] = design.score
    return pairs("score")(table, design)


def told_balance(table, found):
    before, after = ([getattr(row, part).smd for row in found.rows] for part in ("before", "after"))
    return of_balance(before, after, [row.after.variance_ratio for row in found.rows])


TASKS = {
    "greedy": Steps(same, with_score, by("NearestNeighbour", **OWN), pairs("score")),
    "score-greedy": Steps(same, baseline, by("NearestNeighbour"), own_score_pairs),
    "nearest-five": Steps(
        same,
        baseline,
        by("NearestNeighbour", distance="mahalanobis", ratio=5, replacement=True),
        pairs("mahalanobis"),
    ),
    "optimal-score": Steps(same, with_score, by("OptimalMatching", **OWN), pairs("score")),
    "optimal-mahalanobis": Steps(same, baseline, by("OptimalMatching", distance="mahalanobis"), pairs("mahalanobis")),
    "full": Steps(same, with_score, by("FullMatching", **OWN), lambda table, found: of_sets(table, found.strata)),
    "entropy": Steps(same, baseline, by("EntropyBalancing"), lambda table, found: of_weights(table, found.weights)),
    "inverse-probability": Steps(
        same, baseline, by("InverseProbability", "ATE"), lambda table, found: of_weights(table, found.weights)
    ),
    "balance": Steps(same, with_weights, balance, told_balance),
}

if __name__ == "__main__":
    measure(load, TASKS)
