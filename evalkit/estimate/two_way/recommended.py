"""The inference that the numbers of clusters support, carried out for the two-way effect; the wild bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from evalkit.core.draws import (
    LEAST_INVERTED,
    LEVEL,
    N_DRAWS,
    PANEL_SEED,
    SERIAL,
    Executor,
    require_draws,
    require_level,
    require_room,
    require_seed,
    stream,
)
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.core.shown import Shown
from evalkit.data.panel import Panel
from evalkit.design.clusters import InferenceMethod, Recommendation, independence_by
from evalkit.estimate.effect import Inference, clustered_estimate, clustered_inference
from evalkit.estimate.least_squares_arrays import ClusterKind, LeastSquaresFit
from evalkit.estimate.two_way.conley_taber import ConleyTaberOptions, conley_taber
from evalkit.estimate.two_way.inference_arrays import MOST_DRAWS_LISTED, WildWeights, wild_reference, wild_weights
from evalkit.estimate.two_way.panel_rows import PanelRows, require_contrast
from evalkit.estimate.two_way.randomisation import RandomisationOptions, randomisation_test

# Wild cluster bootstrap of the two-way effect.


@dataclass(frozen=True, slots=True, kw_only=True)
class WildOptions:
    """How the wild cluster bootstrap is drawn.

    Attributes
    ----------
    weights : "rademacher" (−1 or 1) or "webb" (six values, for few clusters)
    is_restricted : whether the null hypothesis is imposed on the residuals
    n_draws, seed : draws, where the vectors of weights are too many to go through
    level : of the interval
    """

    weights: WildWeights = "rademacher"
    is_restricted: bool = True
    n_draws: int = N_DRAWS
    seed: int = PANEL_SEED
    level: float = LEVEL

    def __post_init__(self) -> None:
        require_draws(self.n_draws)
        require_seed(self.seed)
        require_level(self.level, LEAST_INVERTED)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WildBootstrap(Shown):
    """The bootstrap's p-value and interval, and how many vectors of weights they rest on."""

    estimate: float
    inference: Inference
    n_vectors: int
    is_enumerated: bool


def wild_bootstrap(panel: Panel, options: WildOptions | None = None) -> WildBootstrap:
    """Return the wild cluster bootstrap of the two-way effect (Cameron, Gelbach and Miller, 2008).

    Unavailable where one cluster is treated, or one to compare with.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 4 and t >= 3), 3 if i < 4 else None, i // 2)
    ...     for i in range(24) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start", "area"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> found = evalkit.wild_bootstrap(panel, evalkit.WildOptions(n_draws=199, seed=7))
    >>> round(found.estimate, 2), found.n_vectors
    (1.04, 4096)
    """
    options = options or WildOptions()
    rows = PanelRows.of(panel)
    require_contrast(rows)
    fit = rows.fit_of_treatment()
    plain = clustered_estimate(fit, 0, "CR0", rows.counts())
    if isinstance(plain.std_error, Unavailable):
        none = Inference.unavailable("wild cluster bootstrap", plain.std_error.reason)
        return WildBootstrap(estimate=plain.value, inference=none, n_vectors=0, is_enumerated=False)
    require_room(fit.n_clusters, options.n_draws, "clusters")
    weights = wild_weights(fit.n_clusters, options.weights, options.n_draws, stream(options.seed, "wild bootstrap"))
    reference = wild_reference(fit, 0, weights, options.is_restricted)
    is_enumerated = (2 if options.weights == "rademacher" else 6) ** fit.n_clusters <= MOST_DRAWS_LISTED
    inference = Inference(
        method="wild cluster bootstrap",
        std_error=reference.scale,
        df=None,
        interval=reference.interval(options.level),
        p_value=reference.p_value(),
        note=_note(options, weights.shape[1], is_enumerated),
        assumes=independence_by(panel.clustered_by),
    )
    return WildBootstrap(
        estimate=plain.value, inference=inference, n_vectors=weights.shape[1], is_enumerated=is_enumerated
    )


def _note(options: WildOptions, n_vectors: int, is_enumerated: bool) -> str:
    null = "null imposed" if options.is_restricted else "null not imposed"
    how = f"all {n_vectors:,} vectors" if is_enumerated else f"{n_vectors - 1:,} draws, seed {options.seed}"
    return f"{options.weights.capitalize()} weights, {null}, {how}; the standard error is CR0."


# The inference that the numbers of clusters support, carried out for the two-way effect.


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
