"""A synthetic England: made-up schools in the published formats, and a programme whose effect is known.

- `area_files`: Files about areas: series of the Local Authority Interactive Tool, neighbours as CSV, outlines, and
  deprivation.
- `cells`: Numbers as the Department prints them, and rows as it writes them.
- `ees_areas`: Area-level files of Explore Education Statistics, several rows an area, and exclusions of all levels.
- `ees_schools`: School-level files of Explore Education Statistics: long, with breakdowns, symbols and names of their
  own.
- `england`: Write the whole synthetic England, with its neighbour workbooks: laid out and formatted as published
  files are.
- `geography`: The synthetic England's authorities: codes, regions, made-up names, schools, deprivation, and outlines.
- `gias_extract`: The register of the synthetic England in 2025: every establishment, its links, and the trusts that
  it belongs to.
- `inspections`: Ofsted's files of the synthetic England: ratings to 2020, inspections of a year, and the latest of
  every school.
- `known`: Effects planted for kinds that no published form serves: series of areas, doses, grades, gaps, and an audit
  tool.
- `ks2`: The key stage 2 performance tables of the synthetic England, one file a year, suppressed as published.
- `ks4`: The synthetic secondaries and their key stage 4 tables. No programme effect is added to them.
- `later`: The synthetic primaries after 2019: what became of each school and its codes up to 2025, and its later
  summers.
- `later_ks4`: The synthetic secondaries from 2015 to 2025, and their key stage 4 tables before 2017 and after 2019.
- `long_csv`: Tables of many rows, written by the column and block by block, the bytes the same each time.
- `public_codes`: Public codes of England's authorities and regions, as published files carry them beside the
  three-digit ones.
- `pupils`: Made-up pupils of some schools, one row a pupil, in the plain layout for extracts of the National Pupil
  Database.
- `register`: The register of the synthetic England: URNs, types, names, conversions, links, and the list of 2017/18.
- `school_files`: Further national school files: census, absence, destinations, 16 to 18, similar schools, and what
  columns mean.
- `survey`: Made-up answers to an audit tool of five areas: two waves by school, with all that a survey is to find
  planted.
- `whole_england`: The whole synthetic England: the usual one, and the same schools in every further published form,
  2015 to 2025.
- `wide_ks2`: The key stage 2 tables of 2014/15, 2022/23 and 2023/24, wide: the years before and after those of `ks2`.
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
