"""The kit on pupils: other pupils of the same schools in each year, doubly robust, errors clustered by school."""

from common import Found, Task, measure
from run_evalkit import load


def prepare(frame, task: Task):
    return frame


def estimate(kit, frame, task: Task) -> Found:
    from evalkit.data.panel import CrossSections

    roles = kit.Roles(
        unit="pupil", period="period", outcome="outcome", cohort="cohort", cluster="school", covariates=("x",)
    )
    effects = kit.effects(kit.design(CrossSections.from_frame(frame, roles)), method="dr")
    results = kit.results(effects, kit.Uncertainty(n_draws=task.n_draws, seed=task.seed))
    return Found(results.simple.estimate, results.simple.std_error, results.event_study.overall.estimate)


if __name__ == "__main__":
    measure(load, prepare, estimate)
