"""moderndid."""

from common import Found, Task, measure, never_as_zero


def load():
    import moderndid

    return moderndid


def estimate(moderndid, frame, task: Task) -> Found:
    bootstrap = {"boot": task.n_draws > 0, "cband": task.n_draws > 0, "biters": task.n_draws or 999}
    effects = moderndid.att_gt(
        frame,
        yname="outcome",
        tname="period",
        idname="unit",
        gname="cohort",
        xformla="~ x" if task.with_covariate else None,
        est_method="dr",
        random_state=task.seed,
        **bootstrap,
    )
    simple, study = (
        moderndid.aggte(effects, type=kind, random_state=task.seed, **bootstrap) for kind in ("simple", "dynamic")
    )
    return Found(float(simple.overall_att), float(simple.overall_se), float(study.overall_att))


if __name__ == "__main__":
    measure(load, never_as_zero, estimate)
