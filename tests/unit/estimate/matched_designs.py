"""Matched designs from a few numbers, or from another program's weights, sets and pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.matched import MatchedDesign, Pairs, paired_weights, stratum_weights
from evalkit.design.matching.options import (
    CoarsenedExact,
    ExactMatching,
    FullMatching,
    NearestNeighbour,
    OptimalMatching,
    Subclassification,
)

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
SCHOOLS = ("n_pupils", "pct_fsm", "pct_eal", "pct_sen", "idaci", "ofsted", "ks2_2016", "ks2_2017")


def baseline(treated, **columns) -> Baseline:
    """Units 1, 2, … with covariates; x = 0, 1, … where none is given."""
    frame = pd.DataFrame({"treated": treated, **(columns or {"x": np.arange(len(treated), dtype=float)})})
    return Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=tuple(columns or ("x",))))


def paired(units: Baseline, treated, comparison, replacement=False, target="ATT") -> MatchedDesign:
    """A design from pairs of positions; sets are the focal units' pairs where partners serve once."""
    pairs = Pairs(np.array(treated), np.array(comparison), np.zeros(len(treated)))
    weights = paired_weights(units.is_treated, pairs, target)
    strata = None
    if not replacement:
        strata = np.full(len(weights), -1)
        focal, partner = (pairs.treated, pairs.comparison) if target == "ATT" else (pairs.comparison, pairs.treated)
        strata[focal] = np.unique(focal, return_inverse=True)[1]
        strata[partner] = strata[focal]
    ratio = int(np.bincount(treated).max())
    option = NearestNeighbour(replacement=replacement, ratio=ratio)
    return MatchedDesign(
        baseline=units, option=option, target=target, weights=weights, pairs=pairs, strata=strata,
        discarded=np.zeros(len(weights), dtype=bool),
    )  # fmt: skip


def stratified(units: Baseline, strata, option=None, target="ATT") -> MatchedDesign:
    """A design from strata."""
    codes = np.array(strata)
    return MatchedDesign(
        baseline=units, option=option or ExactMatching(), target=target, strata=codes,
        weights=stratum_weights(units.is_treated, codes, target), discarded=np.zeros(len(codes), dtype=bool),
    )  # fmt: skip


def lalonde(golden: Path, labels=()) -> tuple[Baseline, pd.Series]:
    """The units and outcomes of golden/matching/data/lalonde.csv."""
    frame = pd.read_csv(golden / "matching" / "data" / "lalonde.csv")
    roles = BaselineRoles(treated="treat", unit="id", covariates=LALONDE, labels=tuple(labels))
    return Baseline.from_frame(frame, roles), frame.set_index("id")["re78"]


def schools(golden: Path) -> tuple[Baseline, pd.DataFrame]:
    """The units and later columns of golden/matching/data/schools.csv."""
    frame = pd.read_csv(golden / "matching" / "data" / "schools.csv", dtype={"urn": str})
    roles = BaselineRoles(treated="treat", unit="urn", covariates=SCHOOLS, labels=("la", "region", "phase"))
    return Baseline.from_frame(frame, roles), frame.set_index("urn")


_OPTIONS = {
    "nn": NearestNeighbour(), "opt": OptimalMatching(), "full": FullMatching(), "quick": FullMatching(),
    "exact": ExactMatching(), "cem": CoarsenedExact(), "subclass6": Subclassification(),
    "subclass5": Subclassification(n_subclasses=5), "genetic": NearestNeighbour(),
}  # fmt: skip


def reference_design(units: Baseline, folder: Path, spec: str) -> MatchedDesign:
    """The design that MatchIt made, from its weights, subclasses and matches."""
    table = pd.read_csv(folder / f"units_{spec}.csv", dtype={"subclass": str, "urn": str})
    table = table.set_index(table.columns[0])
    found = table.reindex(units.units.index)
    weights = found["weights"].fillna(0.0).to_numpy(dtype=float)
    strata = None
    if found["subclass"].notna().any():
        strata = pd.factorize(found["subclass"])[0].astype(np.int64)
        strata[weights == 0] = -1
    option = next(value for key, value in _OPTIONS.items() if spec.startswith(key))
    target = "ATE" if spec.endswith("ate") else "ATC" if spec.endswith("atc") else "ATT"
    pairs = _reference_pairs(units, folder / f"matches_{spec}.csv", target)
    if pairs is not None and strata is None:
        option = NearestNeighbour(replacement="reuse" not in spec, reuse_limit=3 if "reuse" in spec else None)
    return MatchedDesign(
        baseline=units, option=option, target=target, weights=weights, strata=strata, pairs=pairs,
        discarded=np.zeros(len(weights), dtype=bool),
    )  # fmt: skip


def _reference_pairs(units: Baseline, file: Path, target: str) -> Pairs | None:
    if not file.is_file():
        return None
    table = pd.read_csv(file, dtype=str)
    focal = units.units.index.get_indexer(table["focal_id"])
    partner = units.units.index.get_indexer(table["match_id"])
    both = (focal, partner) if target == "ATT" else (partner, focal)
    return Pairs(*both, np.zeros(len(focal)))
