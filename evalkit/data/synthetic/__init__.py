"""A synthetic England: made-up schools in the published formats, and a programme whose effect is known.

- `cells`: Numbers as the Department prints them, and rows as it writes them.
- `england`: Write the whole synthetic England, with its neighbour workbooks: laid out and formatted as published
  files are.
- `geography`: The synthetic England's authorities: codes, regions, made-up names, schools, deprivation, and outlines.
- `ks2`: The key stage 2 performance tables of the synthetic England, one file a year, suppressed as published.
- `ks4`: The synthetic secondaries and their key stage 4 tables. No programme effect is added to them.
- `register`: The register of the synthetic England: URNs, types, names, conversions, links, and the list of 2017/18.
- `world`: The synthetic primaries themselves: how scores vary, cohorts, deprivation, and what became of each school.
"""

from evalkit.data.synthetic.england import write_synthetic_england
from evalkit.data.synthetic.geography import school_areas
from evalkit.data.synthetic.world import OUTCOMES, SCORE_YEARS, ScoreParameters, score_process
from evalkit.data.synthetic_edition import DEFAULT_SEED, GENERATOR_VERSION

__all__ = [
    "DEFAULT_SEED",
    "GENERATOR_VERSION",
    "OUTCOMES",
    "SCORE_YEARS",
    "ScoreParameters",
    "school_areas",
    "score_process",
    "write_synthetic_england",
]
