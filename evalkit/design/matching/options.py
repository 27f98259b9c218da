"""What may be asked of matching and weighting: for each method one object that holds only what it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

DistanceName = Literal["logit", "linear-logit", "probit", "mahalanobis", "robust-mahalanobis", "euclidean", "own"]
"""Score distances (logit, linear-logit, probit, a user's own score) and distances over the covariates."""

Link = Literal["logit", "probit"]
Target = Literal["ATT", "ATC", "ATE"]
Order = Literal["largest", "smallest", "closest", "id"]
Side = Literal["none", "treated", "comparison", "both"]
AfterName = Literal["change", "ancova", "difference"]
"""What is estimated after matching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateCaliper:
    """The most by which partners may differ in a covariate, in its SDs over all units, or in its own units.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, CovariateCaliper, NearestNeighbour, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> near = {"score": CovariateCaliper(width=0.6, in_units=True)}
    >>> match(baseline, NearestNeighbour(distance="euclidean", calipers=near)).pair_table()["distance"].size
    2
    """

    width: float
    in_units: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRules:
    """Who may be paired with whom; shared by the methods that pair.

    `exact` and `anti_exact` name labels or covariates that partners must share or must not share; they do not
    enter the score. `caliper` is in SDs of the score over all units (of the logit score where the distance is
    over covariates); `calipers` are by covariate. `common_support` discards units outside the range of the
    other group's scores, on the side named. `own_score` names the covariate that is the score where `distance` is
    "own"; `mahalanobis_on` names covariates whose Mahalanobis distance takes the place of the score's.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, OptimalMatching, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> design = match(baseline, OptimalMatching(caliper=0.5))
    >>> str(design.estimand), len(design.pair_table())
    ('ATT_AMONG_MATCHED', 2)
    """

    distance: DistanceName = "logit"
    own_score: str | None = None
    mahalanobis_on: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    anti_exact: tuple[str, ...] = ()
    caliper: float | None = None
    calipers: Mapping[str, CovariateCaliper] = field(default_factory=dict)
    common_support: Side = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestNeighbour(PairRules):
    """Greedy matching: each unit in turn takes its nearest partner that is left.

    With `replacement` a partner serves any number of times, with `reuse_limit` up to that number. `fewest` and
    `most` make the ratio variable, `ratio` its mean. `order` is whose turn it is (default: by descending score for
    score distances, by id otherwise). `within_first` names a label: partners that share it are used up before any
    other is looked at. `distance`, `own_score`, `mahalanobis_on`, `exact`, `anti_exact`, `caliper`, `calipers` and
    `common_support` say who may be paired with whom: see `PairRules`.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, NearestNeighbour, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, NearestNeighbour(ratio=2, replacement=True)).pair_table()["comparison"].tolist()
    [5, 4, 6, 8, 6, 7]
    """

    ratio: int = 1
    replacement: bool = False
    reuse_limit: int | None = None
    fewest: int | None = None
    most: int | None = None
    order: Order | None = None
    within_first: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimalMatching(PairRules):
    """`ratio` partners each, without replacement, such that the sum of distances is the least there is.

    `distance`, `own_score`, `mahalanobis_on`, `exact`, `anti_exact`, `caliper`, `calipers` and `common_support` say
    who may be paired with whom: see `PairRules`.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, OptimalMatching, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, OptimalMatching()).pair_table()[["treated", "comparison"]].to_numpy().tolist()
    [[1, 5], [2, 8], [3, 6]]
    """

    ratio: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FullMatching(PairRules):
    """Sets of one treated and any number of comparison units or the reverse, at the least sum of distances.

    `fewest` and `most` bound comparison units per treated unit in a set; 0.2 allows five treated to share one.
    `distance`, `own_score`, `mahalanobis_on`, `exact`, `anti_exact`, `caliper`, `calipers` and `common_support` say
    who may be paired with whom: see `PairRules`.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, FullMatching, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, FullMatching(distance="euclidean")).strata.tolist()
    [0, 1, 2, 0, 0, 1, 2, 0]
    """

    fewest: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMatching:
    """Strata of units that are equal in every covariate.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, ExactMatching, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> frame["is_large"] = frame["score"] > 11
    >>> sizes = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("is_large",)))
    >>> match(sizes, ExactMatching()).strata.tolist()
    [0, 1, 1, 0, 0, 1, 1, 0]
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarsenedExact:
    """Strata of units that are equal in every coarsened covariate (Iacus, King and Porro, 2012).

    `cutpoints` gives for a covariate its cutpoints, or their number of equal-width bins; Sturges' rule where
    nothing is given. `one_to_one` keeps as many of each arm in a stratum, nearest first.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, CoarsenedExact, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, CoarsenedExact(cutpoints={"score": (10.0, 12.0)})).strata.tolist()
    [0, 1, 2, 0, 1, 2, 2, 1]
    """

    cutpoints: Mapping[str, int | tuple[float, ...]] = field(default_factory=dict)
    one_to_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subclassification:
    """Strata by quantiles of the score, in the group whose effect is wanted (of all units for the ATE).

    `n_subclasses` is their number, `distance` the score, `own_score` the covariate that is the score where `distance`
    is "own"; `common_support` discards units outside the range of the other group's scores, on the side named.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, Subclassification, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, Subclassification(n_subclasses=2)).strata.tolist()
    [0, 1, 1, 0, 0, 1, 1, 0]
    """

    n_subclasses: int = 6
    distance: DistanceName = "logit"
    own_score: str | None = None
    common_support: Side = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileMatching:
    """The largest set of comparison units whose means are within `tolerance` SDs of the target profile.

    Proven the largest by integer programming within `seconds`, or refused (Cohn and Zubizarreta, 2022).

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, ProfileMatching, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, ProfileMatching(tolerance=0.1)).n_comparison
    4
    """

    tolerance: float = 0.05
    exact: tuple[str, ...] = ()
    seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntropyBalancing:
    """Weights nearest to equal ones under which means (to the `moments`-th power) are equal (Hainmueller, 2012).

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, EntropyBalancing, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> weights = match(baseline, EntropyBalancing()).weights
    >>> float(round(weights[3:] @ frame["score"][3:] / weights[3:].sum(), 6))
    11.666667
    >>> float(round(frame["score"][:3].mean(), 6))
    11.666667
    """

    moments: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseProbability:
    """Weights from the odds (ATT, ATC) or the inverse (ATE) of the propensity score.

    `trim` leaves out units whose score lies outside [trim, 1 − trim]; it is stated wherever weights are.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, InverseProbability, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, InverseProbability(trim=0.05)).weights.round(2).tolist()
    [1.0, 1.0, 1.0, 0.75, 0.89, 1.11, 1.31, 0.94]
    """

    link: Link = "logit"
    trim: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateBalancing:
    """Weights from a logit whose coefficients balance the means exactly (Imai and Ratkovic, 2014; just-identified).

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, CovariateBalancing, match
    >>> frame = pd.DataFrame({"took_part": [1, 1, 1, 0, 0, 0, 0, 0], "score": [10, 12, 13, 9, 10.5, 12.5, 14, 11]})
    >>> baseline = Baseline.from_frame(frame, BaselineRoles(treated="took_part", covariates=("score",)))
    >>> match(baseline, CovariateBalancing(), "ATE").weights.round(2).tolist()
    [1.14, 0.97, 0.9, 0.9, 0.95, 1.05, 1.13, 0.97]
    """


MatchingOption = (
    NearestNeighbour
    | OptimalMatching
    | FullMatching
    | ExactMatching
    | CoarsenedExact
    | Subclassification
    | ProfileMatching
)
WeightingOption = EntropyBalancing | InverseProbability | CovariateBalancing


# The methods and their options by the names that commands and project files give them.

_MAKERS: Final[dict[str, Callable[..., MatchingOption | WeightingOption]]] = {
    "nearest": NearestNeighbour,
    "optimal": OptimalMatching,
    "full": FullMatching,
    "exact": ExactMatching,
    "cem": CoarsenedExact,
    "subclass": Subclassification,
    "profile": ProfileMatching,
    "entropy": EntropyBalancing,
    "ipw": InverseProbability,
    "cbps": CovariateBalancing,
}
_FIELDS: Final = {
    "replace": "replacement",
    "reuse": "reuse_limit",
    "caliper_on": "calipers",
    "subclasses": "n_subclasses",
}
"""Options that are called otherwise in the option objects."""


def named_option(
    method: str, chosen: Mapping[str, Any], exact: tuple[str, ...] = (), anti_exact: tuple[str, ...] = ()
) -> MatchingOption | WeightingOption:
    """Return the option object of a method by its name, with the options that were chosen under their names.

    >>> named_option("optimal", {"ratio": 3}, exact=("region",)).ratio
    3
    """
    fields = {_FIELDS.get(name, name): value for name, value in chosen.items()}
    if method in ("nearest", "optimal", "full"):
        fields |= {"exact": exact, "anti_exact": anti_exact}
    elif method == "profile":
        fields["exact"] = exact
    if method == "nearest":
        fields |= {name: int(fields[name]) for name in ("fewest", "most") if name in fields}
    if method == "ipw" and "distance" in fields:
        fields["link"] = fields.pop("distance")
    return _MAKERS[method](**fields)
