"""pyfixest: the saturated event study, without covariates and with analytic errors only."""

from common import Found, Task, measure, never_as_zero


def load():
    import pyfixest

    return pyfixest


def estimate(pyfixest, frame, task: Task) -> Found:
    fit = pyfixest.event_study(
        frame,
        yname="outcome",
        idname="unit",
        tname="period",
        gname="cohort",
        estimator="saturated",
        cluster="unit",
    )
    study = fit.aggregate()
    return Found(None, None, float(study.loc[study.index >= 0, "Estimate"].mean()))


if __name__ == "__main__":
    measure(load, never_as_zero, estimate)
