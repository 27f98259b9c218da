"""Write the whole synthetic England: one folder, laid out and formatted as the published files are."""

import json
from pathlib import Path

from evalkit.data.synthetic.boundaries import write_boundaries
from evalkit.data.synthetic.geography import TREATED_CODE, area_name
from evalkit.data.synthetic.gias import write_gias
from evalkit.data.synthetic.identity import draw_identities
from evalkit.data.synthetic.ks2 import write_ks2
from evalkit.data.synthetic.ks4 import draw_secondaries, write_ks4
from evalkit.data.synthetic.neighbours import write_neighbours
from evalkit.data.synthetic.panel import write_covariates
from evalkit.data.synthetic.world import TRUE_EFFECTS, draw_primaries
from evalkit.data.synthetic_edition import DEFAULT_SEED, GENERATOR_VERSION

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
