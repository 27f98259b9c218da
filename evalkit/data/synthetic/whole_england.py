"""The whole synthetic England: the usual one, and the same schools in every further published form, 2015 to 2025."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from evalkit.data.synthetic.area_files import write_area_files
from evalkit.data.synthetic.cells import whole_text
from evalkit.data.synthetic.ees_areas import write_ees_areas
from evalkit.data.synthetic.ees_schools import write_ees_schools
from evalkit.data.synthetic.england import write_synthetic_england
from evalkit.data.synthetic.gias_extract import list_establishments, write_gias_extract
from evalkit.data.synthetic.inspections import write_inspections
from evalkit.data.synthetic.known import KnownEffects, write_known_effects
from evalkit.data.synthetic.ks4 import draw_secondaries
from evalkit.data.synthetic.later import SUPPORT_EFFECTS, SUPPORT_STARTS, Later, draw_later, draw_later_summers
from evalkit.data.synthetic.later_ks4 import draw_later_secondaries, write_wide_ks4
from evalkit.data.synthetic.long_csv import write_columns
from evalkit.data.synthetic.pupils import write_pupils
from evalkit.data.synthetic.register import draw_identities
from evalkit.data.synthetic.school_files import write_school_files
from evalkit.data.synthetic.wide_ks2 import write_wide_ks2
from evalkit.data.synthetic.world import draw_primaries
from evalkit.data.synthetic_edition import DEFAULT_SEED


def write_whole_england(
    folder: Path, seed: int = DEFAULT_SEED, scale: float = 1.0, effects: KnownEffects | None = None
) -> None:
    """Write the synthetic England with every source the kit reads; the usual files keep their bytes.

    `scale` is the share of the country's schools to make, `effects` how large those of `known-effects/` are. The same
    seed, scale and effects give the same bytes; effects move no file outside their folder.
    """
    write_synthetic_england(folder, seed=seed, scale=scale)
    card = folder / "SYNTHETIC.json"
    usual = json.loads(card.read_text(encoding="utf-8"))
    card.unlink()  # a folder without it was not finished
    schools = draw_primaries(seed, scale)
    later = draw_later(seed, schools, draw_identities(seed, schools, scale), scale)
    summers = draw_later_summers(seed, later)
    secondaries = draw_later_secondaries(seed, draw_secondaries(seed, schools.areas, scale), scale)
    every = list_establishments(seed, later, secondaries)
    write_wide_ks2(folder, seed, later, summers)
    write_wide_ks4(folder, secondaries)
    write_ees_schools(folder, seed, later, summers, secondaries)
    write_ees_areas(folder, seed, later, secondaries)
    write_gias_extract(folder, every, later, secondaries)
    write_school_files(folder, seed, later, secondaries)
    write_inspections(folder, seed, every)
    write_area_files(folder, seed, later, summers, every)
    write_pupils(folder, seed, later, summers)
    _write_participants(folder, later)
    known = write_known_effects(folder, seed, later, effects or KnownEffects())
    card.write_text(json.dumps(usual | _truth(later) | {"known_effects": known}, indent=2) + "\n", encoding="utf-8")


def _write_participants(folder: Path, later: Later) -> None:
    """Write the list of the schools in the later programme, by the URN that they had when it began."""
    at = np.flatnonzero(later.is_supported)
    columns = {"URN": whole_text(later.urn(2023)[at]), "name": later.name[at]}
    write_columns(folder / "programme" / "participants.csv", columns)


def _truth(later: Later) -> dict[str, object]:
    """Return what the card says beside the usual: the later programme, and what it does to whom."""
    return {
        "extent": "whole",
        "later_programme": {
            "participants": "programme/participants.csv",
            "schools": int(later.is_supported.sum()),
            "starts": SUPPORT_STARTS,
            "true_effects_by_summer": {
                name: {str(year): x for year, x in of.items()} for name, of in SUPPORT_EFFECTS.items()
            },
            "lasting_effects_of_the_first": "whole, in the treated area, in every summer from 2019 on",
        },
    }
