"""Write the whole synthetic England: one folder, laid out and formatted as the published files are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import constant, csv_lines, pick, quoted, whole_text, write_gzip
from evalkit.data.synthetic.geography import TREATED_CODE, area_name, write_boundaries
from evalkit.data.synthetic.ks2 import write_ks2
from evalkit.data.synthetic.ks4 import draw_secondaries, write_ks4
from evalkit.data.synthetic.neighbours import write_neighbours
from evalkit.data.synthetic.register import Identities, draw_identities, write_gias
from evalkit.data.synthetic.world import TRUE_EFFECTS, Primaries, draw_primaries
from evalkit.data.synthetic_edition import DEFAULT_SEED, GENERATOR_VERSION

_RATINGS = ("Good", "", "Outstanding", "Requires Improvement", "Inadequate")
_SHARES = (0.60, 0.16, 0.14, 0.08, 0.02)  # as in the real file


def write_covariates(folder: Path, seed: int, schools: Primaries, identities: Identities) -> None:
    """Write one row a school, keyed by the oldest URN of its one-to-one chain."""
    rng = stream(seed, "covariates")
    count = len(schools)
    absent = rng.random(count) < 0.02
    rating = rng.choice(np.array(_RATINGS, dtype=object), size=count, p=_SHARES)
    year, month, day = rng.integers(2012, 2018, count), rng.integers(1, 13, count), rng.integers(1, 29, count)
    dates = 10_000 * year + 100 * month + day
    empty = constant("", count)
    roll = np.rint(7.0 * np.maximum(schools.cohort.mean(axis=1), 5.0))
    columns = {
        "SCHOOL_ID": whole_text(identities.oldest()),
        "LA": whole_text(schools.code(2018)),
        "SCHNAME": np.array([quoted(name) for name in identities.name.tolist()], dtype=object),
        "FSM6_PCT_2223": pick(absent, "", np.array([f"{x:.1f}" for x in schools.fsm.tolist()], dtype=object)),
        "NOR_2223": pick(absent, "", np.array([f"{x:.1f}" for x in roll.tolist()], dtype=object)),
        "OFSTED_PRE_FEB2018": rating,
        "OFSTED_DATE": pick(rating == "", empty, whole_text(dates)),
    }
    order = np.argsort(identities.oldest(), kind="stable")
    sorted_columns = {name: text[order] for name, text in columns.items()}
    write_gzip(folder / "panel" / "ks2_school_covariates.csv.gz", csv_lines(sorted_columns))


# Write the whole synthetic England: one folder, laid out and formatted as the published files are.

_NOTE = (
    "Made-up schools in the Department for Education's file formats. Scores are drawn with the variation of the "
    "published England panel; the treated area was chosen for its low reading scores in 2016 and 2017, so some of its "
    "rise is regression to the mean, and the true effects were then added to its mainstream primaries: half in 2018, "
    "whole in 2019. No effect was added to secondaries."
)


def write_synthetic_england(folder: Path, seed: int = DEFAULT_SEED, scale: float = 1.0) -> None:
    """Write the synthetic England into `folder`; same seed and scale, same bytes.

    `scale` is the share of the country's schools to make (1.0: about 16,800 primaries and 3,400 secondaries).
    """
    schools = draw_primaries(seed, scale)
    identities = draw_identities(seed, schools, scale)
    secondaries = draw_secondaries(seed, schools.areas, scale)
    folder.mkdir(parents=True, exist_ok=True)
    write_ks2(folder, seed, schools, identities)
    write_ks4(folder, secondaries)
    write_gias(folder, seed, schools, identities, secondaries)
    write_neighbours(folder, seed, schools.areas)
    write_covariates(folder, seed, schools, identities)
    write_boundaries(folder, seed, schools.areas)
    _write_card(folder, seed, scale)


def _write_card(folder: Path, seed: int, scale: float) -> None:
    """Write what this folder is, last: a folder without it was not finished."""
    card = {
        "kind": "synthetic",
        "generator_version": GENERATOR_VERSION,
        "seed": seed,
        "scale": scale,
        "treated_la": TREATED_CODE,
        "treated_la_name": area_name(TREATED_CODE),
        "true_effects": TRUE_EFFECTS,
        "note": _NOTE,
    }
    (folder / "SYNTHETIC.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
