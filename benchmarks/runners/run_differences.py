"""differences: a program of its own, run in its own environment (the package is under the GPL)."""

from common import Found, Task, measure


def load():
    from differences import ATTgt

    return ATTgt


def prepare(frame, task: Task):
    return frame.set_index(["unit", "period"])


def estimate(estimator, frame, task: Task) -> Found:
    bootstrap = {"boot_iterations": task.n_draws, "random_state": task.seed}
    effects = estimator(frame, cohort_column="cohort")
    formula = "outcome ~ x" if task.with_covariate else "outcome"
    effects.fit(formula, est_method="dr", control_group="never_treated", progress_bar=False, **bootstrap)
    simple, study = (effects.aggregate(kind, **bootstrap) for kind in ("simple", "event"))
    value, error = (float(simple[column].iloc[0]) for column in _columns(simple))
    after = study.loc[study.index >= 0, _columns(study)[0]]
    return Found(value, error, float(after.mean()))


def _columns(table) -> list[tuple]:
    """Return the estimate's and the standard error's column of a table with several header rows."""
    return [next(column for column in table.columns if name in column) for name in ("ATT", "std_error")]


if __name__ == "__main__":
    measure(load, prepare, estimate)
