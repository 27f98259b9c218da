"""pymatchit-causal: intake is `MatchIt(…)`, the step `fit`, which takes the scores it is given or fits its own."""

from matching import COVARIATES, Steps, measure, of_balance, of_pairs, of_sets, rows_of

FORMULA = f"treated ~ {' + '.join(COVARIATES)}"


def load(task):
    import pymatchit
    from pymatchit import diagnostics

    pymatchit.diagnostics = diagnostics
    return pymatchit


def by_id(table):
    return table.set_index("id")


def take_in(score=None, **chosen):
    def made(pymatchit, frame):
        given = {"distance": frame[score]} if score else {}
        return pymatchit.MatchIt(frame, **given, **chosen)

    return made


def fit(pymatchit, held):
    return held.fit(FORMULA)


def pairs(distance):
    def told(table, held):
        if "score" not in table:
            table["score"] = held.propensity_scores.to_numpy()
        found = [(focal, partner) for focal, partners in held.matched_indices.items() for partner in partners]
        focal, partner = zip(*found, strict=True)
        return of_pairs(table, rows_of(table, focal), rows_of(table, partner), distance)

    return told


def sets(table, held):
    return of_sets(table, held.data["subclass"].fillna(-1).astype(int).to_numpy())


def balance(pymatchit, frame):
    """Return its table before and after, for weights it is given."""
    columns = frame[[*COVARIATES, "treated"]]
    return pymatchit.diagnostics.create_summary_table(columns, columns, COVARIATES, "treated", frame["weight"])


def told_balance(table, found):
    before, after = found
    smd = "Std. Mean Diff."
    return of_balance(before[smd], after[smd], after["Var Ratio"])


TASKS = {
    "greedy": Steps(by_id, take_in("score"), fit, pairs("score")),
    "score-greedy": Steps(by_id, take_in(), fit, pairs("score")),
    "nearest-five": Steps(by_id, take_in(distance="mahalanobis", ratio=5, replace=True), fit, pairs("mahalanobis")),
    "optimal-score": Steps(by_id, take_in("score", method="optimal"), fit, pairs("score")),
    "optimal-mahalanobis": Steps(by_id, take_in(method="optimal", distance="mahalanobis"), fit, pairs("mahalanobis")),
    "full": Steps(by_id, take_in("score", method="full"), fit, sets),
    "balance": Steps(by_id, lambda tool, frame: frame, balance, told_balance),
}

if __name__ == "__main__":
    measure(load, TASKS)
