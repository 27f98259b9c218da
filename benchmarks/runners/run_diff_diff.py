"""diff-diff."""

from common import Found, Task, measure, never_as_zero


def load():
    from diff_diff import CallawaySantAnna

    return CallawaySantAnna


def estimate(estimator, frame, task: Task) -> Found:
    results = estimator(n_bootstrap=task.n_draws, seed=task.seed).fit(
        frame,
        outcome="outcome",
        unit="unit",
        time="period",
        first_treat="cohort",
        covariates=["x"] if task.with_covariate else None,
        aggregate="event_study",
    )
    after = [float(one["effect"]) for time, one in results.event_study_effects.items() if time >= 0]
    return Found(float(results.overall_att), float(results.overall_se), sum(after) / len(after))


if __name__ == "__main__":
    measure(load, never_as_zero, estimate)
