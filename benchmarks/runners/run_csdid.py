"""csdid."""

from common import Found, Task, measure, never_as_zero


def load():
    from csdid.att_gt import ATTgt

    return ATTgt


def estimate(estimator, frame, task: Task) -> Found:
    import numpy as np

    bootstrap = {"bstrap": task.n_draws > 0, "cband": task.n_draws > 0}
    np.random.seed(task.seed)  # noqa: NPY002 - the package draws from the global generator
    effects = estimator(
        "outcome",
        "period",
        "unit",
        "cohort",
        frame,
        control_group="nevertreated",
        xformla="~ x" if task.with_covariate else None,
        cband=bootstrap["cband"],
        biters=task.n_draws or 999,
    ).fit(est_method="dr", bstrap=bootstrap["bstrap"])
    simple, study = (dict(effects.aggte(kind, **bootstrap).atte) for kind in ("simple", "dynamic"))
    error = float(np.ravel(simple["overall_se"])[0])
    return Found(float(simple["overall_att"]), error, float(study["overall_att"]))


if __name__ == "__main__":
    measure(load, never_as_zero, estimate)
