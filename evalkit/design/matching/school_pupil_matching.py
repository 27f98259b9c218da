"""Schools first, then pupils: pupils are matched only with pupils of the schools that theirs was matched with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.baseline import Baseline
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign, Pairs, matched_sets, paired_weights
from evalkit.design.matching.options import NearestNeighbour, OptimalMatching


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SchoolPupilDesign(Shown):
    """Two matchings, one within the other.

    Attributes
    ----------
    schools : MatchedDesign over schools
    pupils : MatchedDesign over pupils of the schools matched, each paired within its own set of schools
    school : Series, the school of each unit of `pupils.baseline`: what errors are clustered by
    n_left_out : pupils of schools that were not matched
    """

    schools: MatchedDesign
    pupils: MatchedDesign
    school: pd.Series
    n_left_out: int


def match_schools_then_pupils(
    schools: Baseline,
    pupils: Baseline,
    school: str,
    school_option: NearestNeighbour | OptimalMatching,
    pupil_option: NearestNeighbour | OptimalMatching,
) -> SchoolPupilDesign:
    """Match schools by what was known of them, then pupils within each set of matched schools, for the ATT.

    Parameters
    ----------
    schools : Baseline, units are schools
    pupils : Baseline, units are pupils
        A pupil is treated exactly where its school is.
    school : the label of `pupils` that holds a pupil's school, by the ids of `schools`
    school_option, pupil_option : how each is matched
        Schools without replacement, so that each set of schools is one of its own. A score of pupils is fitted
        within each set, where treated pupils are few, so that a distance over covariates is the safer choice.

    Returns
    -------
    SchoolPupilDesign
        Outcomes of pupils are compared with its `pupils`, errors clustered by its `school` (Zubizarreta and Keele,
        2017, on matching in two levels).

    Raises
    ------
    DesignError
        Where schools are matched with replacement, a pupil's school is unknown or its arm another than the pupil's,
        or no set of schools gives a pair of pupils.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, NearestNeighbour, match_schools_then_pupils
    >>> schools = pd.DataFrame({"school": list("ABC"), "took_part": [1, 0, 0], "intake": [5.0, 5.2, 9.0]})
    >>> pupils = pd.DataFrame({"pupil": range(6), "school": list("AABBCC"), "took_part": [1, 1, 0, 0, 0, 0]})
    >>> pupils["before"] = [98.0, 103.0, 104.0, 97.0, 98.0, 103.0]
    >>> of_schools = BaselineRoles(unit="school", treated="took_part", covariates=("intake",))
    >>> of_pupils = BaselineRoles(unit="pupil", treated="took_part", covariates=("before",), labels=("school",))
    >>> option = NearestNeighbour(distance="euclidean")
    >>> units = Baseline.from_frame(schools, of_schools), Baseline.from_frame(pupils, of_pupils)
    >>> design = match_schools_then_pupils(*units, "school", option, option)
    >>> design.pupils.pair_table()[["treated", "comparison"]].to_numpy().tolist(), design.n_left_out
    ([[0, 3], [1, 2]], 2)
    """
    if isinstance(school_option, NearestNeighbour) and (school_option.replacement or school_option.reuse_limit):
        raise DesignError("Match schools without replacement: a school in two sets would give its pupils twice.")
    matched_schools = match(schools, school_option)
    assert matched_schools.strata is not None
    place = _schools_of(schools, pupils, school)
    sets = np.where(matched_schools.is_used, matched_schools.strata, -1)[place]
    pairs = _within_sets(pupils, sets, pupil_option)
    pupils_kept = np.flatnonzero(sets >= 0)
    design = _over_pupils(_part(pupils, pupils_kept), _renumbered(pairs, pupils_kept, len(sets)), pupil_option)
    of_pupils = pd.Series(pupils.label(school).to_numpy()[pupils_kept], index=design.baseline.units.index, name=school)
    return SchoolPupilDesign(
        schools=matched_schools, pupils=design, school=of_pupils, n_left_out=len(sets) - len(pupils_kept)
    )


def _schools_of(schools: Baseline, pupils: Baseline, school: str) -> Ints:
    """Return the position of each pupil's school."""
    named = pupils.label(school)
    place = schools.units.index.get_indexer(pd.Index(named))
    if (place < 0).any():
        unknown = list(dict.fromkeys(str(name) for name in named[place < 0]))
        raise DesignError(
            f"{counted(len(unknown), 'school')} of pupils {'is' if len(unknown) == 1 else 'are'} not among the schools "
            f"({listed(unknown, 5)}). Add them to the schools, or leave their pupils out."
        )
    differs = schools.is_treated[place] != pupils.is_treated
    if differs.any():
        unit = pupils.units.index[int(np.argmax(differs))]
        raise DesignError(
            f"Pupil {unit!r} is {'treated' if pupils.is_treated[differs][0] else 'not treated'} and its school is the "
            "reverse. A pupil is treated where its school is."
        )
    return place.astype(np.int64)


def _within_sets(pupils: Baseline, sets: Ints, option: NearestNeighbour | OptimalMatching) -> Pairs:
    """Return the pairs of pupils within each set of schools, as positions in `pupils`."""
    parts = []
    for code in np.unique(sets[sets >= 0]):
        rows = np.flatnonzero(sets == code)
        inside = match(_part(pupils, rows), option).pairs
        assert inside is not None
        parts.append((rows[inside.treated], rows[inside.comparison], inside.distance))
    treated, comparison, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pairs(treated, comparison, distance)


def _part(pupils: Baseline, rows: Ints) -> Baseline:
    units, covariates = pupils.units.iloc[rows], pupils.covariates.iloc[rows]
    return Baseline(units, covariates, pupils.years, pupils.first_treated)


def _renumbered(pairs: Pairs, pupils_kept: Ints, n: int) -> Pairs:
    at = np.full(n, -1, dtype=np.int64)
    at[pupils_kept] = np.arange(len(pupils_kept))
    return Pairs(at[pairs.treated], at[pairs.comparison], pairs.distance)


def _over_pupils(pupils: Baseline, pairs: Pairs, option: NearestNeighbour | OptimalMatching) -> MatchedDesign:
    shares = isinstance(option, NearestNeighbour) and (option.replacement or option.reuse_limit is not None)
    return MatchedDesign(
        baseline=pupils,
        option=option,
        target="ATT",
        weights=paired_weights(pupils.is_treated, pairs, "ATT"),
        pairs=pairs,
        strata=None if shares else matched_sets(len(pupils.units), pairs, "ATT"),
        discarded=np.zeros(len(pupils.units), dtype=bool),
        notes=("Pupils were matched only with pupils of the schools that theirs was matched with.",),
    )
