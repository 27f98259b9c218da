"""The kit."""

from common import Found, Task, measure


def load():
    from types import SimpleNamespace

    from evalkit.data.panel import Panel
    from evalkit.data.roles import Roles
    from evalkit.design.panel.staggered import staggered_design
    from evalkit.estimate.staggered.bands import Uncertainty
    from evalkit.estimate.staggered.group_time import group_time_effects
    from evalkit.estimate.staggered.results import staggered_results

    return SimpleNamespace(
        Panel=Panel,
        Roles=Roles,
        Uncertainty=Uncertainty,
        design=staggered_design,
        effects=group_time_effects,
        results=staggered_results,
    )


def prepare(frame, task: Task):
    return frame


def estimate(kit, frame, task: Task) -> Found:
    covariates = ("x",) if task.with_covariate else ()
    roles = kit.Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", covariates=covariates)
    effects = kit.effects(kit.design(kit.Panel.from_frame(frame, roles)), method="dr")
    results = kit.results(effects, kit.Uncertainty(n_draws=task.n_draws, seed=task.seed))
    return Found(results.simple.estimate, results.simple.std_error, results.event_study.overall.estimate)


if __name__ == "__main__":
    measure(load, prepare, estimate)
