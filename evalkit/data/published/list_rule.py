"""The schools that a declared rule lists, in every area: those of the programme, and whom it would have listed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.project import ListRule, Project
from evalkit.core.words import counted, listed
from evalkit.data.published.records import SchoolRecords, exclusion_reasons


def picked_by(rule: ListRule, level: pd.Series, area: pd.Series) -> pd.Index:
    """Return the units that a rule lists, in the order of their ids.

    Parameters
    ----------
    rule : how many are listed, and from which end
    level : mean result of every unit that the rule can judge, by id
    area : area of each, missing where no source gives one: such a unit is in no list

    Of N units a share s lists ⌈s N⌉, so that every area has at least one; ties go by id, not by row.
    """
    known = level.dropna()
    known = known[area.reindex(known.index).notna()]
    ordered = known.sort_index().sort_values(ascending=rule.lowest is not None, kind="stable")
    if rule.within == "england":
        chosen = ordered.index[: _number(rule, len(ordered))]
    else:
        place = area.reindex(ordered.index)
        rank = ordered.groupby(place.to_numpy()).cumcount()
        size = ordered.groupby(place.to_numpy()).transform("size")
        chosen = ordered.index[rank < size.map(lambda n: _number(rule, int(n)))]
    found: pd.Index = pd.Index(chosen).sort_values()
    return found


def _number(rule: ListRule, n: int) -> int:
    wanted = rule.lowest if rule.lowest is not None else rule.highest
    assert wanted is not None
    return min(n, int(wanted)) if wanted >= 1 else math.ceil(round(wanted * n, 9))


def picked_schools(project: Project, records: Mapping[str, SchoolRecords]) -> pd.Index:
    """Return the schools that the project's rule lists in every area, of the mainstream ones with all its results.

    Raises
    ------
    DesignError
        If a result that the rule goes by was not read.
    """
    rule = project.participants.rule
    assert rule is not None
    of_outcome = next((one for one in records.values() if rule.of in one.values), None)
    lacking = [str(year) for year in rule.years if of_outcome is None or year not in of_outcome.years]
    if of_outcome is None or lacking:
        raise DesignError(
            f"`participants.rule` goes by {rule.of} of {listed(lacking, 9)}, which no file at hand gives as a "
            "year before the programme. Name years before that the files have."
        )
    is_usable = exclusion_reasons(of_outcome, rule.of, list(rule.years), project.pool.minor_groups) == ""
    level = of_outcome.values[rule.of][list(rule.years)].mean(axis=1)[is_usable.to_numpy()]
    return picked_by(rule, level, of_outcome.schools["area"])


def with_picked(records: Mapping[str, SchoolRecords], picked: pd.Index) -> dict[str, SchoolRecords]:
    """Return records whose schools say whether the rule lists them (`is_picked`)."""
    return {
        stage: replace(one, schools=one.schools.assign(is_picked=one.schools.index.isin(picked)))
        for stage, one in records.items()
    }


def picked_of(schools: pd.DataFrame) -> pd.Index | None:
    """Return the schools that the project's rule lists, None where it declares none."""
    return schools.index[schools["is_picked"].to_numpy(dtype=bool)] if "is_picked" in schools else None


def rule_words(rule: ListRule) -> str:
    """Return a rule in words for readers."""
    end, wanted = ("lowest", rule.lowest) if rule.lowest is not None else ("highest", rule.highest)
    assert wanted is not None
    number = counted(int(wanted), "school") if wanted >= 1 else f"{100 * wanted:g}% of schools"
    where = "of each area" if rule.within == "area" else "of England"
    return f"the {end} {number} {where} by the mean {rule.of} of {listed([str(year) for year in rule.years], 9)}"
