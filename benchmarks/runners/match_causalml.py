"""causalml: no intake; the step is `NearestNeighborMatch.match`, which goes through the rows in their order."""

from matching import COVARIATES, Steps, measure, of_balance, of_pairs


def load(task):
    from causalml.match import NearestNeighborMatch, smd

    return NearestNeighborMatch, smd


def by_score(table):
    """Return units by descending score, which is then the order in which they are matched; rows keep their number."""
    return table.sort_values("score", ascending=False)


def take_in(tool, frame):
    return frame


def greedy(tool, frame):
    matcher = tool[0](caliper=float("inf"), replace=False, shuffle=False)
    matcher.match(frame, "treated", ["score"])
    return matcher.matched_indexes_


def pairs(table, found):
    return of_pairs(table, found["from"].to_numpy(), found["to"].to_numpy(), "score")


def balance(tool, frame):
    return frame[COVARIATES].apply(lambda values: tool[1](values, frame["treated"]))


TASKS = {
    "greedy": Steps(by_score, take_in, greedy, pairs),
    "balance": Steps(lambda table: table, take_in, balance, lambda table, found: of_balance(found, None, None)),
}

if __name__ == "__main__":
    measure(load, TASKS)
