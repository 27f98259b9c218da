"""The reference: each task from its definition, in a few lines of numpy and scipy, without the kit.

Slow where the definition is slow: it says what the answer is, not how fast it can be had.
"""

from bisect import bisect_left

import numpy as np
from matching import COVARIATES, Steps, coordinates, measure, of_balance, of_pairs, of_weights, same

CHUNK = 50


def load(task):
    import scipy.optimize
    import scipy.spatial.distance

    return scipy


def arms(table):
    treated = table["treated"].to_numpy() == 1
    return np.flatnonzero(treated), np.flatnonzero(~treated)


def greedy(scipy, table):
    """By descending score each treated unit takes the nearest score left in a sorted list; of two as near the lower."""
    score, (treated, comparison) = table["score"].to_numpy(), arms(table)
    left = comparison[np.argsort(score[comparison], kind="stable")].tolist()
    scores = score[left].tolist()
    focal = treated[np.argsort(-score[treated], kind="stable")]
    partners = []
    for own in score[focal]:
        at = bisect_left(scores, own)
        if at == len(scores) or (at > 0 and own - scores[at - 1] <= scores[at] - own):
            at -= 1
        del scores[at]
        partners.append(left.pop(at))
    return focal, partners


def score_greedy(scipy, table):
    import statsmodels.api as sm

    model = sm.GLM(table["treated"], sm.add_constant(table[COVARIATES]), family=sm.families.Binomial())
    table["score"] = model.fit(tol=1e-14, maxiter=100).fittedvalues
    return greedy(scipy, table)


def nearest_five(scipy, table):
    points, (treated, comparison) = coordinates(table, "mahalanobis"), arms(table)
    found = []
    for first in range(0, len(treated), CHUNK):
        apart = scipy.spatial.distance.cdist(points[treated[first : first + CHUNK]], points[comparison])
        found.append(np.argpartition(apart, 4, axis=1)[:, :5].copy())
    return np.repeat(treated, 5), comparison[np.concatenate(found).ravel()]


def optimal(distance):
    def work(scipy, table):
        points, (treated, comparison) = coordinates(table, distance), arms(table)
        apart = scipy.spatial.distance.cdist(points[treated], points[comparison])
        row, column = scipy.optimize.linear_sum_assignment(apart)
        return treated[row], comparison[column]

    return work


def full(scipy, table):
    """The cheapest edges that reach every unit: the cheapest edge of each, less what pairing two of them saves."""
    points, (treated, comparison) = coordinates(table, "score"), arms(table)
    apart = scipy.spatial.distance.cdist(points[treated], points[comparison])
    saved = np.minimum(apart - apart.min(axis=1)[:, None] - apart.min(axis=0), 0)
    row, column = scipy.optimize.linear_sum_assignment(saved)
    both = saved[row, column] < 0
    total = apart.min(axis=1).sum() + apart.min(axis=0).sum() + saved[row, column].sum()
    return {"total_distance": float(total), "n_pairs": int(both.sum())}


def entropy(scipy, table):
    """Weights exp(x'b) whose means are those of the treated: the minimum of a convex function, by Newton's method."""
    x, (treated, comparison) = table[COVARIATES].to_numpy(), arms(table)
    apart = (x[comparison] - x[treated].mean(axis=0)) / x[treated].std(axis=0)
    slope = np.zeros(apart.shape[1])
    for _ in range(50):
        share = np.exp(apart @ slope)
        share /= share.sum()
        gap = share @ apart
        slope -= np.linalg.solve((apart * share[:, None]).T @ apart - np.outer(gap, gap), gap)
    weights = np.ones(len(x))
    weights[comparison] = share
    return weights


def inverse_probability(scipy, table):
    score = table["score"].to_numpy()
    return np.where(table["treated"] == 1, 1 / score, 1 / (1 - score))


def balance(scipy, table):
    """Differences in means over the treated's SD, and ratios of variances that correct for unequal weights."""
    x, weight, (treated, comparison) = table[COVARIATES].to_numpy(), table["weight"].to_numpy(), arms(table)
    spread, share = x[treated].std(axis=0, ddof=1), weight[comparison] / weight[comparison].sum()
    mean = share @ x[comparison]
    variance = share @ (x[comparison] - mean) ** 2 / (1 - share @ share)
    before = (x[treated].mean(axis=0) - x[comparison].mean(axis=0)) / spread
    return before, (x[treated].mean(axis=0) - mean) / spread, spread**2 / variance


def whole(work, answer):
    return Steps(same, lambda scipy, table: table, work, answer)


def pairs(distance):
    return lambda table, found: of_pairs(table, *found, distance)


TASKS = {
    "greedy": whole(greedy, pairs("score")),
    "score-greedy": whole(score_greedy, pairs("score")),
    "nearest-five": whole(nearest_five, pairs("mahalanobis")),
    "optimal-score": whole(optimal("score"), pairs("score")),
    "optimal-mahalanobis": whole(optimal("mahalanobis"), pairs("mahalanobis")),
    "full": whole(full, lambda table, found: found),
    "entropy": whole(entropy, of_weights),
    "inverse-probability": whole(inverse_probability, of_weights),
    "balance": whole(balance, lambda table, found: of_balance(*found)),
}

if __name__ == "__main__":
    measure(load, TASKS)
