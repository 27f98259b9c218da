"""A synthetic England: made-up schools in the published formats, and a programme whose effect is known."""

from evalkit.data.synthetic.england import write_synthetic_england
from evalkit.data.synthetic.geography import school_areas
from evalkit.data.synthetic.process import OUTCOMES, SCORE_YEARS, ScoreParameters, score_process
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
