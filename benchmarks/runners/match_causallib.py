"""causallib: intake is `fit`, which makes its search trees, the step `match` (in both directions) or the weights."""

from matching import COVARIATES, Steps, coordinates, measure, of_balance, of_pairs, of_weights, rows_of


def load(task):
    import sklearn.linear_model
    from causallib.estimation import IPW, Matching
    from causallib.metrics.weight_metrics import calculate_covariate_balance

    return {
        "matching": Matching,
        "ipw": IPW,
        "balance": calculate_covariate_balance,
        "logit": sklearn.linear_model.LogisticRegression,
    }


def points(distance):
    """Return covariates in which the distance is the Euclidean one, with treatment and outcome, by id."""

    def form(table):
        import pandas as pd

        table = table.set_index("id", drop=False)
        return pd.DataFrame(coordinates(table, distance), index=table.index), table["treated"], table["outcome"]

    return form


def take_in(**chosen):
    def made(tool, form):
        matching = tool["matching"](metric="euclidean", matching_mode="treatment_to_control", **chosen)
        return matching.fit(*form), form

    return made


def match(tool, held):
    matching, (x, treated, _) = held
    return matching.match(x, treated)


def pairs(distance):
    def told(table, found):
        partners = found.loc[0]["matches"].loc[table.loc[table["treated"] == 1, "id"]]
        focal = [unit for unit, chosen in partners.items() for _ in chosen]
        chosen = [partner for all_chosen in partners for partner in all_chosen]
        return of_pairs(table, rows_of(table, focal), rows_of(table, chosen), distance)

    return told


def arrays(table):
    return table[COVARIATES], table["treated"], table["weight"]


def take_in_ipw(tool, form):
    # without a penalty, and to the end of its iteration
    learner = tool["logit"](C=float("inf"), tol=1e-10, solver="newton-cholesky", max_iter=100)
    return tool["ipw"](learner), form


def inverse_probability(tool, held):
    ipw, (x, treated, _) = held
    ipw.fit(x, treated)
    return ipw.compute_weights(x, treated)


def balance(tool, form):
    return tool["balance"](*form)


TASKS = {
    "nearest-five": Steps(points("mahalanobis"), take_in(n_neighbors=5), match, pairs("mahalanobis")),
    "optimal-score": Steps(points("score"), take_in(with_replacement=False), match, pairs("score")),
    "optimal-mahalanobis": Steps(points("mahalanobis"), take_in(with_replacement=False), match, pairs("mahalanobis")),
    "inverse-probability": Steps(arrays, take_in_ipw, inverse_probability, of_weights),
    "balance": Steps(
        arrays,
        lambda tool, form: form,
        balance,
        lambda table, found: of_balance(found["unweighted"], found["weighted"], None),
    ),
}

if __name__ == "__main__":
    measure(load, TASKS)
