"""causalinference: intake is `CausalModel(…)`, the step its matching in both directions with the matrix it is given."""

from matching import COVARIATES, Steps, coordinates, measure, of_balance


def load(task):
    from causalinference import CausalModel

    return CausalModel


def whitened(table):
    """Return outcome, treatment and covariates in which the Mahalanobis distance is the Euclidean one."""
    return table["outcome"].to_numpy(), table["treated"].to_numpy(), coordinates(table, "mahalanobis")


def arrays(table):
    return table["outcome"].to_numpy(), table["treated"].to_numpy(), table[COVARIATES].to_numpy()


def take_in(tool, form):
    return tool(*form)


def nearest_five(tool, held):
    import numpy as np

    held.est_via_matching(weights=np.ones(len(COVARIATES)), matches=5)
    return held


def effect(table, held):
    return {"effect": float(held.estimates["matching"]["att"])}


def balance(tool, form):
    """Return normalised differences, which it works out while it takes the data in."""
    return tool(*form).summary_stats["ndiff"]


TASKS = {
    "nearest-five": Steps(whitened, take_in, nearest_five, effect),
    "balance": Steps(arrays, lambda tool, form: form, balance, lambda table, found: of_balance(found, None, None)),
}

if __name__ == "__main__":
    measure(load, TASKS)
