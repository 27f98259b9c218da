"""What a matched or weighted design is, before its balance is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import as_sentence
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import listed
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import PairRules
from evalkit.design.school_pupil_matching import SchoolPupilDesign
from evalkit.design.similar import SimilarUnits
from evalkit.diagnose.covariate_balance import StratumBalance
from evalkit.estimate.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched_effect import MatchedEffect
from evalkit.report.disclosure import ReleasedTable, release, rests_on_few, told_where_typed
from evalkit.report.prose import Prose
from evalkit.report.table import Cell, Column, Kind, Table
from evalkit.report.tables.matching import units_row
from evalkit.report.tables.units import UNKNOWN, noted, plain, sentences

_KINDS: Final = {
    "NearestNeighbour": "nearest-neighbour matching",
    "OptimalMatching": "optimal matching",
    "FullMatching": "full matching",
    "ExactMatching": "exact matching",
    "CoarsenedExact": "coarsened exact matching",
    "Subclassification": "subclassification",
    "ProfileMatching": "profile matching",
    "EntropyBalancing": "entropy balancing",
    "InverseProbability": "inverse-probability weighting",
    "CovariateBalancing": "covariate-balancing propensity scores",
}


def design_units(design: MatchedDesign, kind: Kind = "pupil_count") -> ReleasedTable:
    """Return how many units there are and are used, by arm."""
    columns = (
        Column("arm", "Arm"),
        Column("n_before", "Units", kind, is_total=True),
        Column("n_after", "Used", kind),
        Column("n_unused", "Not used", kind),
        Column("effective_n", "Worth, in equally weighted units", "number", derived_from="n_after", decimals=1),
    )
    n_treated = int(design.baseline.is_treated.sum())
    n_comparison = len(design.weights) - n_treated
    rows: tuple[tuple[Cell, ...], ...] = (
        units_row("Treated", n_treated, design.n_treated, design.effective_treated),
        units_row("Comparison", n_comparison, design.n_comparison, design.effective_comparison),
    )
    released = release(Table(caption="Who is compared with whom", columns=columns, rows=rows), FEWEST_PEOPLE)
    return released if released.table.rows == rows else noted(released, UNKNOWN)


def design_words(design: MatchedDesign) -> Prose:
    """Return how the comparison group was made, on what, what an effect would be of, and what a reader must know."""
    option = design.option
    how = _KINDS[type(option).__name__]
    if isinstance(option, PairRules):
        how += f", distance {option.distance}"
    covariates = [str(name) for name in design.baseline.covariates]
    total = design.total_distance
    return sentences(
        as_sentence(how),
        f"Compared on {listed(covariates, 12)}.",
        f"An effect would be the {design.estimand.label_of_units} ({design.estimand}).",
        "" if isinstance(total, Unavailable) else f"The sum of distances over pairs is {total:.6g}.",
        *(as_sentence(told_where_typed(note, FEWEST_PEOPLE)) for note in design.notes),
        "evalkit.match_balance shows how alike they are.",
    )


def schools_words(design: SchoolPupilDesign) -> Prose:
    """Return that schools were matched first, and how."""
    return Prose(("Schools:", *design_words(design.schools).sentences[:-1]))


def schools_units(design: SchoolPupilDesign) -> ReleasedTable:
    """Return how many schools there are and are used, by arm."""
    return design_units(design.schools, "school_count")


def pupils_words(design: SchoolPupilDesign) -> Prose:
    """Return that pupils were matched within the sets of schools, and how."""
    return Prose(("Pupils of these schools:", *design_words(design.pupils).sentences[:-1]))


def pupils_units(design: SchoolPupilDesign) -> ReleasedTable:
    """Return how many pupils there are and are used, by arm."""
    return design_units(design.pupils)


def effect_words(effect: MatchedEffect | MatchingEstimate) -> Prose:
    """Return whose average effect it is, what must hold, and what a reader must know."""
    return sentences(
        f"The {effect.estimand.label_of_units} ({effect.estimand}), if nothing that was not measured made treated and "
        "comparison units differ.",
        *map(as_sentence, effect.notes if isinstance(effect, MatchedEffect) else ()),
    )


def strata(found: Iterable[StratumBalance]) -> ReleasedTable:
    """Return each stratum's units by arm, and the standardised difference of each covariate within it."""
    columns = (
        Column("stratum", "Stratum"),
        Column("covariate", "Covariate"),
        Column("n_treated", "Treated", "pupil_count"),
        Column("n_comparison", "Comparison", "pupil_count"),
        Column("smd", "SMD", "estimate"),
    )
    rows = tuple(
        (str(one.stratum), name.replace("_", " "), one.n_treated, one.n_comparison, _of_enough(one, values.smd))
        for one in found
        for name, values in one.rows
    )
    released = release(Table(caption="Balance within strata", columns=columns, rows=rows), FEWEST_PEOPLE)
    return released if released.table.rows == rows else noted(released, UNKNOWN)


def _of_enough(one: StratumBalance, value: Quantity) -> Cell:
    """Return what is known of a stratum, unless an arm of it has too few people to be told of."""
    return value if min(one.n_treated, one.n_comparison) >= FEWEST_PEOPLE else rests_on_few(FEWEST_PEOPLE)


def similar_list(found: SimilarUnits) -> ReleasedTable:
    """Return the list of the first unit asked for, with how close each other unit is, in a word."""
    profiles = found.profiles
    own = profiles.units[int(found.asked[0])]
    named = () if profiles.names is None else (Column("name", "Name"),)
    columns = (Column("rank", "Rank"), Column("id", "Id"), *named, Column("closeness", "How close"))
    rows = [
        (
            str(one.rank),
            str(profiles.units[one.position]),
            *(() if profiles.names is None else (str(profiles.names.iloc[one.position]),)),
            one.closeness,
        )
        for one in found.of(own)
    ]
    more = len(found.asked) - 1
    notes = (
        f"One of {more + 1:,} lists; .pairs() has them all." if more else "",
        "evalkit.report.tables.similar.similar shows the characteristics, and withholds small counts of pupils.",
    )
    return plain(f"Most like {own}", columns, rows, notes)
