"""The inference that the numbers of clusters support, carried out for the two-way effect."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from evalkit.core.draws import LEVEL, N_DRAWS, PANEL_SEED, SERIAL, Executor, require_level, require_seed
from evalkit.core.errors import DesignError
from evalkit.data.panel import Panel
from evalkit.design.clusters import InferenceMethod, Recommendation, independence_by
from evalkit.estimate.effect import Inference, clustered_inference
from evalkit.estimate.least_squares_arrays import ClusterKind, LeastSquaresFit
from evalkit.estimate.two_way.conley_taber import ConleyTaberOptions, conley_taber
from evalkit.estimate.two_way.panel_rows import PanelRows
from evalkit.estimate.two_way.randomisation import RandomisationOptions, randomisation_test
from evalkit.estimate.two_way.wild_bootstrap import WildOptions, wild_bootstrap


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceOptions:
    """The level of intervals, how many draws a bootstrap or permutation takes, under which seed and by whom."""

    level: float = LEVEL
    n_draws: int = N_DRAWS
    seed: int = PANEL_SEED
    executor: Executor = field(default=SERIAL, compare=False, repr=False)

    def __post_init__(self) -> None:
        require_level(self.level)
        require_seed(self.seed)


def two_way_inference(
    panel: Panel, recommendation: Recommendation, options: InferenceOptions, fit: LeastSquaresFit | None = None
) -> Inference:
    """Return the recommended inference on the two-way effect of a panel, or the reason why it cannot be given.

    `fit` is the two-way fit, where it has been made already.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 4 and t >= 3), 3 if i < 4 else None, i // 2)
    ...     for i in range(24) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start", "area"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> advice = evalkit.two_way_effect(panel).recommendation
    >>> advice.inference
    'randomisation inference'
    >>> inference = evalkit.two_way_inference(panel, advice, evalkit.InferenceOptions(seed=7))
    >>> round(inference.p_value, 3)
    0.015
    """
    if recommendation.inference == "unavailable":
        return Inference.unavailable("unavailable", recommendation.reason)
    try:
        found = _carried_out(panel, recommendation.inference, options, fit)
        return replace(found, assumes=independence_by(panel.clustered_by))
    except DesignError as error:
        return Inference.unavailable(recommendation.inference, str(error))


def _carried_out(
    panel: Panel, method: InferenceMethod, options: InferenceOptions, fit: LeastSquaresFit | None
) -> Inference:
    level, n_draws, seed = options.level, options.n_draws, options.seed
    match method:
        case "wild cluster bootstrap":
            return wild_bootstrap(panel, WildOptions(level=level, n_draws=n_draws, seed=seed)).inference
        case "randomisation inference":
            chosen = RandomisationOptions(level=level, n_draws=n_draws, seed=seed, executor=options.executor)
            return randomisation_test(panel, chosen).inference
        case "Conley–Taber":
            return conley_taber(panel, ConleyTaberOptions(level=level, n_draws=n_draws, seed=seed)).inference
    rows = PanelRows.of(panel)
    kind: ClusterKind = "CR1W" if method == "cluster-robust" else "CR2"
    return clustered_inference(fit or rows.fit_of_treatment(), 0, kind, rows.counts(), level)
