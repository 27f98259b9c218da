"""What may be asked of an estimate after matching, and the design and outcome checked and as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, SEED, SERIAL, Executor, require_draws, require_level, require_seed
from evalkit.core.errors import DataError, DesignError
from evalkit.core.sentence import Sentence, count, named_people
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.baseline import is_category
from evalkit.data.roles import LARGEST, as_numbers, named
from evalkit.design.clusters import LEAST_DF, ClusterCounts, one_treated_cluster_reason, recommended_inference
from evalkit.design.matching.matched import MatchedDesign
from evalkit.estimate.cluster_model import ARMS, ClusterModel

# What may be asked of an estimate after matching or weighting.

Adjustment = Literal["none", "g-computation", "additive", "bias-corrected"]
Errors = Literal["default", "HC1", "HC3", "cluster", "two-way", "CR2", "abadie-imbens", "m-estimation", "bootstrap"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectOptions:
    """How an effect is estimated from a matched or weighted design.

    Attributes
    ----------
    adjust : names of labels or covariates of the baseline, or of `columns`, to adjust for
    columns : DataFrame by unit, or None
        Further columns to adjust for, which matching did not see.
    adjustment : how; None for g-computation where `adjust` names something and for none otherwise
    errors : kind of standard error; "default" for the one that suits the design
    cluster : clusters above the unit, such as schools or areas
        The name of a label, or their codes by unit (a Series), or in the order of the baseline (an array).
    level : level of the interval
    seed, n_draws : of the bootstrap
    executor : who carries out its draws
    """

    adjust: tuple[str, ...] = ()
    columns: pd.DataFrame | None = None
    adjustment: Adjustment | None = None
    errors: Errors = "default"
    cluster: str | pd.Series | NDArray[np.generic] | None = None
    level: float = LEVEL
    seed: int = SEED
    n_draws: int = 999
    executor: Executor = field(default=SERIAL, repr=False)

    def __post_init__(self) -> None:
        _one_of("errors", self.errors, get_args(Errors))
        if self.adjustment is not None:
            _one_of("adjustment", self.adjustment, get_args(Adjustment))
        require_level(self.level)
        require_draws(self.n_draws)
        require_seed(self.seed)
        self._require_whole()

    @property
    def how(self) -> Adjustment:
        """Return the adjustment, with the default filled in."""
        return self.adjustment or ("g-computation" if self.adjust else "none")

    def _require_whole(self) -> None:
        """Raise `DesignError` where what to adjust for and how do not go together."""
        twice = [name for name in self.adjust if self.adjust.count(name) > 1]
        if twice:
            raise DesignError(f"'{twice[0]}' is named twice among what to adjust for. Name it once.")
        if self.adjust and self.adjustment == "none":
            raise DesignError("Columns to adjust for were named, and no adjustment asked for. Leave one of them out.")
        if not self.adjust and self.how != "none":
            raise DesignError(f"The adjustment '{self.how}' needs columns to adjust for. Name them in `adjust`.")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DesignError(
            f"'{value}' is no choice of {name}.{did_you_mean(value, known)} There are: {listed(known, 20)}."
        )


# A matched design, its outcome and what was asked, checked and as arrays in the order of the baseline.

_ADDS_NOTHING = 1e-8
"""A column keeps less than this share of its spread once the columns before it are taken out: it adds nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class EffectTask:
    """What an estimator needs.

    Attributes
    ----------
    outcome : shape (n_units,), NaN allowed for units not used
    covariates : shape (n_units, k)
        At mean 0 and SD 1 over the units used; of a category the last m − 1 of its m levels among them. NaN where
        a unit that is not used lacks one.
    names : of the covariates' columns
    cluster : shape (n_units,), or None
        Codes 0, 1, …; −1 for units not used whose cluster is not known.
    """

    design: MatchedDesign
    outcome: Floats
    covariates: Floats
    names: tuple[str, ...]
    cluster: Ints | None
    options: EffectOptions

    @property
    def target(self) -> Bools:
        """Return the units over which an effect is averaged: those of the target group that are used, each once."""
        is_treated, used = self.design.baseline.is_treated, self.design.is_used
        return {"ATT": used & is_treated, "ATC": used & ~is_treated, "ATE": used}[self.design.target]

    @property
    def cluster_counts(self) -> ClusterCounts | None:
        """Return how many clusters hold treated units and how many comparison units."""
        if self.cluster is None:
            return None
        is_treated, used = self.design.baseline.is_treated, self.design.is_used
        treated, comparison = (len(np.unique(self.cluster[used & arm])) for arm in (is_treated, ~is_treated))
        return ClusterCounts(treated, comparison)

    @property
    def few_clusters_reason(self) -> str | None:
        """Return why the clusters given support no error: one or two of them carry an arm; else None."""
        counts = self.cluster_counts
        if counts is None or self.cluster is None:
            return None
        if reason := one_treated_cluster_reason(counts):
            return reason
        found = self.cluster_model.concentration(ARMS)
        return found.reason if found.df < LEAST_DF else None

    @property
    def cluster_model(self) -> ClusterModel:
        """Return which of the clusters given carries which share of each arm, by the design's weights."""
        assert self.cluster is not None
        used, is_treated = self.design.is_used, self.design.baseline.is_treated
        arm = np.where(is_treated[used], 0, 1)
        n_clusters = int(self.cluster.max(initial=0)) + 1
        return ClusterModel.of_units(self.cluster[used], n_clusters, arm, self.design.weights[used], 2)

    @property
    def has_few_clusters(self) -> bool:
        """Return whether clusters are given, and too few for errors that are not corrected for their number."""
        if self.cluster is None:
            return False
        model = self.cluster_model
        advice = recommended_inference(model.counts, concentration=model.concentration(ARMS))
        return advice.inference != "cluster-robust"


def effect_task(design: MatchedDesign, outcome: pd.Series | Floats, options: EffectOptions) -> EffectTask:
    """Return the task, or raise `DataError` or `DesignError` for what cannot be used."""
    covariates, names = _covariates(design, options)
    return EffectTask(design, outcome_of(design, outcome), covariates, names, _clusters(design, options), options)


def outcome_of(design: MatchedDesign, outcome: pd.Series | Floats) -> Floats:
    """Return outcomes in the order of the baseline; raise `DataError` where a used unit has none."""
    values = as_numbers(in_order(design, outcome, "outcome"))
    used = design.is_used
    odd = used & ~(np.abs(values) <= LARGEST)
    if odd.any():
        first = design.baseline.units.index[int(np.argmax(odd))]
        raise DataError(
            Sentence(
                "The outcome is missing or not finite for {n}, the first of them {first}. Leave units without an "
                "outcome out before matching, so that the loss is counted.",
                n=count(int(odd.sum()), "units", "matched unit"),
                first=named_people(named(first)),
            )
        )
    return values


def in_order(design: MatchedDesign, values: pd.Series | NDArray[np.generic], what: str) -> pd.Series:
    """Return values by unit in the order of the baseline, missing where a unit has none."""
    units = design.baseline.units.index
    if not isinstance(values, pd.Series):
        if np.shape(values) != (len(units),):
            raise DataError(
                f"The {what} has the shape {np.shape(values)}; an array holds one value for each of the "
                f"{counted(len(units), 'unit')} of the baseline, in their order. Or give a Series by unit."
            )
        return pd.Series(np.asarray(values), index=units, name=what)
    if values.index.equals(units):
        return values.rename(what)
    if not values.index.is_unique:
        raise DataError(f"A unit stands twice in the {what}. Keep one value for each.")
    places = units.get_indexer(values.index)
    if not (places >= 0).any():
        raise DataError(
            f"No unit of the {what} is in the baseline: its ids look like {named(values.index[0])}, those of the "
            f"baseline like {named(units[0])}. Make both texts or both numbers, and try again."
            if len(values)
            else f"The {what} holds no unit."
        )
    return values.reindex(units).rename(what)


def _covariates(design: MatchedDesign, options: EffectOptions) -> tuple[Floats, tuple[str, ...]]:
    used = design.is_used
    columns: list[Floats] = []
    names: list[str] = []
    for name in options.adjust:
        for label, column in _columns(name, _named_column(design, options, name), used):
            columns.append(column)
            names.append(label)
    if not columns:
        return np.zeros((len(used), 0)), ()
    matrix = np.column_stack(columns)
    return _independent(matrix, used, names), tuple(names)


def _named_column(design: MatchedDesign, options: EffectOptions, name: str) -> pd.Series:
    if options.columns is not None and name in options.columns:
        return in_order(design, options.columns[name], f"column '{name}'")
    try:
        return design.baseline.label(name)
    except DesignError:
        known = [str(c) for frame in (options.columns, design.baseline.covariates) if frame is not None for c in frame]
        raise DesignError(
            f"There is no column '{name}' to adjust for.{did_you_mean(name, known)} There are: {listed(known, 20)}."
        ) from None


def _columns(name: str, values: pd.Series, used: Bools) -> list[tuple[str, Floats]]:
    lost = used & values.isna().to_numpy()
    if lost.any():
        raise DataError(
            Sentence(
                "'{name}', to be adjusted for, is missing for {n}, the first of them {first}. Leave the column or "
                "these units out.",
                name=name,
                n=count(int(lost.sum()), "units", "matched unit"),
                first=named_people(named(values.index[int(np.argmax(lost))])),
            )
        )
    if is_category(values):
        texts = values.astype("str").to_numpy(dtype=object)
        levels = sorted(set(texts[used]))
        if len(levels) < 2:
            raise DesignError(_constant(name))
        return [(f"{name}_{level}", (texts == level).astype(float)) for level in levels[1:]]
    numbers = as_numbers(values)
    if not (np.abs(numbers[used]) <= LARGEST).all():
        raise DataError(f"'{name}', to be adjusted for, is infinite or too large for a unit. Correct it.")
    return [(name, numbers)]


def _constant(name: str) -> str:
    return f"'{name}' is the same for all matched units, so that there is nothing to adjust for. Leave it out."


def _independent(matrix: Floats, used: Bools, names: list[str]) -> Floats:
    """Return columns at mean 0 and SD 1 over the units used; raise `DesignError` where one adds nothing."""
    rows = matrix[used]
    if len(rows) <= len(names) + 2:
        raise DesignError(
            Sentence(
                "{n} cannot be adjusted for {columns}. Adjust for fewer.",
                n=count(len(rows), "units", "matched unit"),
                columns=counted(len(names), "column"),
            )
        )
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    flat = spread <= 1e-12 * np.abs(rows).max(axis=0)
    if flat.any():
        raise DesignError(_constant(names[int(np.argmax(flat))]))
    scaled = (rows - mean) / spread
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r"))) / np.sqrt(len(rows))
    if (left < _ADDS_NOTHING).any():
        at = int(np.argmax(left < _ADDS_NOTHING))
        raise DesignError(
            f"Among the matched units '{names[at]}' is a sum of the other columns to adjust for. Leave it out."
        )
    result: Floats = (matrix - mean) / spread
    return result


def _clusters(design: MatchedDesign, options: EffectOptions) -> Ints | None:
    given = options.cluster
    if given is None:
        return None
    values = design.baseline.label(given) if isinstance(given, str) else in_order(design, given, "clusters")
    used = design.is_used
    if values[used].isna().any():
        lost = values.index[used][int(np.argmax(values[used].isna()))]
        raise DataError(f"The unit {named(lost)} has no cluster. Fill it in.")
    codes = pd.factorize(values)[0].astype(np.int64)
    if len(np.unique(codes[used])) < 2:
        raise DesignError("All matched units are in one cluster, so that no error can be clustered by it.")
    return codes
