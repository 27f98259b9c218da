"""psmpy: intake is `PsmPy(…)`, the step its matching, which goes through the rows in the order they have."""

from matching import COVARIATES, Steps, measure, of_pairs, rows_of


def load(task):
    import matplotlib

    matplotlib.use("agg")
    from psmpy import PsmPy

    return PsmPy


def without_outcome(table):
    """Return what it may see: every column that is not left out enters its model."""
    return table[["id", "treated", *COVARIATES]]


def by_score(table):
    """Return units by descending score, which is then the order in which they are matched."""
    return table.sort_values("score", ascending=False)


def take_in(tool, frame):
    return tool(frame[["id", "treated", *COVARIATES]], treatment="treated", indx="id")


def take_in_scores(tool, frame):
    held = take_in(tool, frame)
    held.predicted_data = frame.rename(columns={"score": "propensity_score"}).reset_index(drop=True)
    return held


def greedy(tool, held):
    held.kdtree_matched(matcher="propensity_score", replacement=False)
    return held


def score_greedy(tool, held):
    held.logistic_ps(balance=False)
    return greedy(tool, held)


def pairs(table, held):
    if "score" not in table:
        scores = held.predicted_data.set_index("id")["propensity_score"]
        table["score"] = scores.reindex(table["id"]).to_numpy()
    found = held.matched_ids
    return of_pairs(table, rows_of(table, found["id"]), rows_of(table, found["matched_ID"]), "score")


TASKS = {
    "greedy": Steps(by_score, take_in_scores, greedy, pairs),
    "score-greedy": Steps(without_outcome, take_in, score_greedy, pairs),
}

if __name__ == "__main__":
    measure(load, TASKS)
