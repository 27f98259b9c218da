"""Matched designs with given weights, as another program made them: for tests of what comes after matching."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.matched import MatchedDesign, Pairs
from evalkit.design.matching.options import NearestNeighbour

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
SCHOOLS = (
    "n_pupils",
    "pct_fsm",
    "pct_eal",
    "pct_sen",
    "idaci",
    "ofsted",
    "ks2_2016",
    "ks2_2017",
    "phase",
    "region",
)


def lalonde_design(matching: Path, spec: str, covariates: tuple[str, ...] = LALONDE) -> MatchedDesign:
    """Return MatchIt's design of a specification on lalonde."""
    frame = pd.read_csv(matching / "data" / "lalonde.csv")
    return _design(frame, "id", covariates, matching / "lalonde_matchit_4.7.2", spec)


def school_design(matching: Path, spec: str, covariates: tuple[str, ...] = SCHOOLS) -> MatchedDesign:
    """Return MatchIt's design of a specification on the 16,800 schools."""
    frame = pd.read_csv(matching / "data" / "schools.csv")
    return _design(frame, "urn", covariates, matching / "school", spec)


def _design(frame: pd.DataFrame, unit: str, covariates: tuple[str, ...], folder: Path, spec: str) -> MatchedDesign:
    units = pd.read_csv(folder / f"units_{spec}.csv").set_index(unit)
    if unit == "id":
        frame = frame[frame["id"].isin(units.index)]  # one specification leaves rows out
    baseline = Baseline.from_frame(frame, BaselineRoles(treated="treat", covariates=covariates, unit=unit))
    ids = baseline.units.index
    units = units.reindex(ids)
    subclass = units["subclass"]
    strata = subclass.astype("category").cat.codes.to_numpy(dtype=np.int64) if subclass.notna().any() else None
    target = "ATC" if spec.endswith("_atc") else "ATE" if spec.endswith("_ate") else "ATT"
    return MatchedDesign(
        baseline=baseline,
        option=NearestNeighbour(),
        target=target,
        weights=units["weights"].fillna(0.0).to_numpy(dtype=float),
        pairs=_pairs(folder / f"matches_{spec}.csv", ids, target == "ATC"),
        strata=strata,
        score=units["distance"].to_numpy(dtype=float) if units["distance"].notna().all() else None,
        discarded=np.zeros(len(ids), dtype=bool),
    )


def _pairs(path: Path, ids: pd.Index, is_reversed: bool) -> Pairs | None:
    if not path.exists():
        return None
    table = pd.read_csv(path).dropna(subset=["match_id"])
    focal, match = (ids.get_indexer(table[name].astype(ids.dtype)) for name in ("focal_id", "match_id"))
    treated, comparison = (match, focal) if is_reversed else (focal, match)
    return Pairs(treated.astype(np.int64), comparison.astype(np.int64), np.zeros(len(table)))
