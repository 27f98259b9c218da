"""What a project file may ask for, beyond the types of its values, and how long its texts may be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final
from urllib.parse import urlsplit

from evalkit.core.errors import ProjectError
from evalkit.core.missing import FEWEST_IMPUTED
from evalkit.core.project import Claim, Exposure, Outcome, Project, first_summer
from evalkit.core.words import did_you_mean, listed
from evalkit.data.measures import MEASURES, absent_years, known_codes, measure_of, require_unbroken
from evalkit.run.kinds.names import KINDS
from evalkit.run.project.analysis_rules import analysis_complaints, own_faults
from evalkit.run.project.plain_yaml import Complaint, Place
from evalkit.run.project.workspace import complaint_about, is_slug

# How long the texts of a project may be: within these every report can be set, whatever else stands in it.

_SHORT, _LONG = 300, 1000
MOST: Final[dict[tuple[str, ...], int]] = {
    ("title",): 200,
    ("question",): 500,
    ("programme", "name"): 150,
    ("programme", "place"): 40,
    ("programme", "funder"): 200,
    ("programme", "aim"): _SHORT,
    ("programme", "theme"): 40,
    ("programme", "description"): 4000,
    ("programme", "sources", "title"): _SHORT,
    ("programme", "sources", "url"): _LONG,
    ("participants", "known_participants"): 2000,
    ("participants", "why_whole_area"): 200,
    ("participants", "trust"): 150,
    ("authors", "name"): 100,
    ("authors", "organisation"): 150,
    ("authors", "contact"): 150,
    ("commissioner",): 200,
    ("date",): 40,
    ("outcomes", "label"): 60,
    ("families", "name"): 60,
    ("analyses", "families", "name"): 60,
    ("outcomes", "unit"): 40,
    ("outcomes", "breaks", "sentence"): _SHORT,
    ("notebooks", "title"): 150,
    ("plan", "deviations", "field"): _SHORT,
    ("plan", "deviations", "reason"): _LONG,
    ("cost", "source"): _LONG,
    ("contamination", "programme"): _SHORT,
    ("contamination", "source"): _LONG,
}
"""Characters that each text of a project file may have."""
MOST_OF_CLAIM: Final = {"quote": _LONG, "part": _SHORT, "source": _LONG, "reason": _LONG, "note": _LONG}
"""Characters that each text of a claim may have."""
MOST_IN_WORD: Final = 60
"""Characters between two blanks; addresses may be longer. The longest word in a table decides how wide it is."""
MOST_IN_PLACE_WORD: Final = 25
"""The same in the name of the place, which stands beside the lines of figures."""


def project_texts(project: Project) -> Iterator[tuple[Place, str, int]]:
    """Yield every text that a reader sees, with its place in the project file and the most characters it may have."""
    for keys, most in MOST.items():
        for place, text in _found(project, keys, ()):
            yield place, text, most


def _found(value: object, keys: Sequence[str], place: Place) -> Iterator[tuple[Place, str]]:
    """Yield the texts under keys, each list on the way gone through."""
    if isinstance(value, tuple):
        for i, inner in enumerate(value):
            yield from _found(inner, keys, (*place, i))
    elif isinstance(value, str) and not keys:
        yield place, value
    elif value is not None and keys:
        yield from _found(getattr(value, keys[0]), keys[1:], (*place, keys[0]))


def too_long(project: Project) -> Iterator[Complaint]:
    """Yield a complaint for each text of a project that is longer than a report can carry."""
    for place, text, most in project_texts(project):
        longest = MOST_IN_PLACE_WORD if place == ("programme", "place") else MOST_IN_WORD
        yield from _complaints(place, text, most, longest)


def too_long_claim(at: int, claim: Claim) -> Iterator[Complaint]:
    """Yield a complaint for each text of a claim that is longer than a report can carry."""
    for key, most in MOST_OF_CLAIM.items():
        yield from _complaints((at, key), getattr(claim, key), most, MOST_IN_WORD)


def _complaints(place: Place, text: str, most: int, longest: int) -> Iterator[Complaint]:
    if len(text) > most:
        yield Complaint(place, f"the text has {len(text):,} characters, and a report holds {most:,} there. Shorten it")
    words = (word for word in text.split() if not re.match(r"\W*https?://", word))
    word = max(words, key=len, default="")
    if len(word) > longest:
        told = f"'{word[:20]}…' has {len(word):,} characters without a blank, and a line holds {longest}. Part it"
        yield Complaint(place, told)


# What a project file may ask for, beyond the types of its values.


def project_complaints(project: Project, folder: Path, unread: Collection[object] = ()) -> list[Complaint]:
    """Return everything that is wrong with a project, in the order of its file.

    `unread` are the places of analyses whose own keys could not be read, and of which more cannot be said.
    """
    return [
        *_words(project),
        *too_long(project),
        *_participants(project, folder),
        *_exposure(project),
        *_outcomes(project),
        *registry_complaints(project),
        *analysis_complaints(project, folder, unread),
        *_areas(project),
        *_numbers(project),
        *_claims_file(project, folder),
        *_reference_file(project, folder),
        *_data_folder(project),
    ]


def registry_complaints(project: Project) -> list[Complaint]:
    """Return what the measure registry says against the outcomes and years."""
    codes = [outcome.code for outcome in project.outcomes]
    known = f"Known: {known_codes()}"
    unknown = [
        Complaint(("outcomes", i, "measure"), f"'{code}' is not a known measure.{did_you_mean(code, MEASURES)} {known}")
        for i, code in enumerate(codes)
        if code not in MEASURES and not project.outcomes[i].is_own
    ]
    found = []
    for place, exposure, outcomes in _followed(project):
        absent = [*_absent_years(place, exposure, outcomes)]
        found += absent or [*_broken_series(project, exposure, outcomes)]
    return [*unknown, *dict.fromkeys(found)]


def _followed(project: Project) -> Iterator[tuple[Place, Exposure, list[str]]]:
    """Yield each set of years before and after, with its place and the published outcomes followed over them."""
    shared = [one for one in project.analyses if one.needs_exposure]
    if shared:
        codes = {one.code for analysis in shared for one in project.outcomes_of(analysis)}
        yield ("exposure",), project.exposure, [o.code for o in project.outcomes if o.code in codes and _is_known(o)]
    for i, analysis in enumerate(project.analyses):
        if analysis.exposure is not None:
            own = [one.code for one in project.outcomes_of(analysis) if _is_known(one)]
            yield ("analyses", i, "exposure"), analysis.exposure, own


def _is_known(outcome: Outcome) -> bool:
    """Return whether an outcome can be followed: it is of the registry, or what the file says of it holds together."""
    return outcome.code in MEASURES if not outcome.is_own else not any(own_faults(outcome))


def _absent_years(place: Place, exposure: Exposure, codes: Sequence[str]) -> Iterator[Complaint]:
    for year in dict.fromkeys(exposure.years):
        without = [code for code in codes if code in MEASURES and year not in MEASURES[code].years]
        if without:
            yield Complaint(place, absent_years(without, [year]))


def _broken_series(project: Project, exposure: Exposure, codes: Sequence[str]) -> Iterator[Complaint]:
    for i, outcome in enumerate(project.outcomes):
        try:
            if outcome.code in codes and len(exposure.years) > 1:
                require_unbroken(measure_of(project, outcome.code), exposure.years)
        except ProjectError as problem:
            key = "breaks" if outcome.is_own else "measure"
            yield Complaint(("outcomes", i, key), " ".join(str(problem).split()))


def _words(project: Project) -> Iterator[Complaint]:
    if not is_slug(project.slug):
        rule = "lower-case letters, digits and hyphens, at most 64, beginning and ending with a letter or digit"
        yield Complaint(("slug",), f"'{project.slug[:70]}' cannot name a folder on every system. Use {rule}")
    programme = project.programme
    for place, text in (
        (("title",), project.title),
        (("question",), project.question),
        (("programme", "name"), programme.name),
        (("programme", "place"), programme.place),
    ):
        if not text:
            yield Complaint(place, "the text is empty")
    if programme.end < programme.start:
        text = f"the programme ends ({programme.end}) before it starts ({programme.start})"
        yield Complaint(("programme", "end"), text)
    for i, source in enumerate(programme.sources):
        if source.url and (complaint := _against_address(source.url)):
            yield Complaint(("programme", "sources", i, "url"), complaint)


def _against_address(url: str) -> str:
    """Return what is wrong with an address, empty where it can be one of the web."""
    try:
        parts = urlsplit(url)
        has_host, _ = bool(parts.hostname), parts.port
    except ValueError:
        return f"'{url[:60]}' is no address. Copy it from the browser again, or leave `url` out"
    if parts.scheme not in ("http", "https"):
        return "an address must begin with https:// or http://"
    return "" if has_host else f"'{url[:60]}' is no address: it names no site. Copy it from the browser again"


def _participants(project: Project, folder: Path) -> Iterator[Complaint]:
    chosen = project.participants
    named = [key for key in ("file", "areas", "draw") if getattr(chosen, key)]
    if len(named) != 1 and not (project.only_describes and not named):
        said = f"found {listed(named)}" if named else "found none of them"
        yield Complaint(("participants",), f"name the participants by one of `file`, `areas` and `draw`; {said}")
    if chosen.draw is not None and not 2 <= chosen.draw.n <= 10_000:
        text = f"a made-up list has at least 2 schools and at most 10,000; found {chosen.draw.n}"
        yield Complaint(("participants", "draw", "n"), text)
    yield from (Complaint(("participants", "rule", *place), text) for place, text in _rule_faults(project))
    if len(set(chosen.areas)) < len(chosen.areas):
        yield Complaint(("participants", "areas"), "name each area once")
    if chosen.trust is not None and (chosen.file is None or not str(chosen.trust).strip()):
        text = "a trust is named of a `file`: GIAS's list of members of groups, beside the project file"
        yield Complaint(("participants", "trust"), text)
    if chosen.file is not None and (complaint := complaint_about(folder, chosen.file)):
        yield Complaint(("participants", "file"), complaint)


def _rule_faults(project: Project) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what is wrong with the rule by which schools were listed."""
    rule, codes = project.participants.rule, [one.code for one in project.outcomes]
    if rule is None:
        return
    if project.participants.draw is not None:
        yield (), "a made-up list follows no rule. Name `areas` whose schools the rule lists, or leave `draw` out"
    if (rule.lowest is None) == (rule.highest is None):
        yield (), "name either `lowest` or `highest`: a share of schools such as 0.2, or their number"
    for key in ("lowest", "highest"):
        wanted = getattr(rule, key)
        if wanted is not None and not (0 < wanted < 1 or (wanted >= 1 and wanted == int(wanted))):
            yield (key,), f"a share above 0 and below 1, or a whole number of schools; not {wanted:g}"
    if rule.of not in codes:
        yield ("of",), f"'{rule.of}' is not among the outcomes: {listed(codes)}.{did_you_mean(rule.of, codes)}"
    before = project.exposure.pre
    if not rule.years or not set(rule.years) <= set(before):
        found = listed([str(year) for year in rule.years if year not in before], 9) or "no year"
        known, verb = listed([str(year) for year in before]), "are" if " and " in found else "is"
        yield ("years",), f"{found} {verb} not among the years before the programme ({known}). Name some of these"


def _exposure(project: Project) -> Iterator[Complaint]:
    """Yield what is wrong with the years before and after, those that an analysis has for itself among them."""
    start = project.programme.start
    known = [one for one in project.analyses if one.kind in KINDS]  # what another kind would need is not known
    if any(one.needs_exposure for one in known) or project.exposure != Exposure():
        yield from _years(project.exposure, start)
    for i, analysis in enumerate(project.analyses):
        for told in _years(analysis.exposure, start) if analysis.exposure is not None else ():
            yield replace(told, place=("analyses", i, *told.place))


def _years(exposure: Exposure, start: date) -> Iterator[Complaint]:
    if not exposure.pre:
        text = "there is no year before the programme, and a change needs one. Name the years before it in `pre`"
        yield Complaint(("exposure", "pre"), text, is_design=True)
    if not exposure.post:
        text = "there is no year after the programme, so no effect can be measured. Name the years after it in `post`"
        yield Complaint(("exposure", "post"), text, is_design=True)
    twice = sorted({year for year in exposure.years if exposure.years.count(year) > 1})
    if twice:
        text = f"{listed([str(y) for y in twice])} is named more than once; a year is before, partial or after"
        yield Complaint(("exposure",), text)
    later = (*exposure.partial, *exposure.post)
    if exposure.pre and later and not twice and max(exposure.pre) > min(later):
        text = "every year in `pre` must come before those in `partial` and `post`"
        yield Complaint(("exposure",), text, is_design=True)
    elif exposure.partial and exposure.post and not twice and max(exposure.partial) > min(exposure.post):
        yield Complaint(("exposure",), "every year in `partial` must come before those in `post`", is_design=True)
    for year in (y for y in exposure.pre if y >= first_summer(start)):
        text = f"the tests of {year} came after the programme began ({start}), so {year} is not a year before it"
        yield Complaint(("exposure", "pre"), text, is_design=True)
    for year in (y for y in later if y < first_summer(start)):
        text = f"the tests of {year} came before the programme began ({start}), so {year} is a year before it"
        yield Complaint(("exposure",), text, is_design=True)


def _outcomes(project: Project) -> Iterator[Complaint]:
    measures = [outcome.code for outcome in project.outcomes]
    primary = [outcome.code for outcome in project.outcomes if outcome.role == "primary"]
    if len(primary) != 1 and not (project.only_describes and not measures):
        n_found = f"found {listed(primary)}" if primary else "found none"
        yield Complaint(("outcomes",), f"exactly one outcome has the role `primary`; {n_found}")
    for i, measure in enumerate(measures):
        if measure in measures[:i]:
            key = "column" if project.outcomes[i].is_own else "measure"
            yield Complaint(("outcomes", i, key), f"{measure} is listed twice")
    pairs = [(contrast.measure, contrast.minus) for contrast in project.contrasts]
    for i, (measure, minus) in enumerate(pairs):
        for key, code in (("measure", measure), ("minus", minus)):
            if code not in measures:
                yield Complaint(("contrasts", i, key), f"'{code}' is not among the outcomes: {listed(measures)}")
        if measure == minus:
            yield Complaint(("contrasts", i), f"{measure} less itself is nothing; name two outcomes")
        if (measure, minus) in pairs[:i]:
            yield Complaint(("contrasts", i), "this contrast is listed twice")


def _areas(project: Project) -> Iterator[Complaint]:
    chosen, pool = project.participants, project.pool
    treated = tuple(code for code in chosen.areas if isinstance(code, int))
    drawn_of = (chosen.draw.of,) if chosen.draw is not None and isinstance(chosen.draw.of, int) else ()
    named: list[tuple[tuple[str | int, ...], tuple[int, ...]]] = [(("pool", "exclude_areas"), pool.exclude_areas)]
    named += [(("contamination", i, "areas"), row.areas) for i, row in enumerate(project.contamination)]
    named += [(("participants", "areas"), treated), (("participants", "draw", "of"), drawn_of)]
    for place, codes in named:
        for code in (code for code in codes if not 100 <= code <= 999):
            yield Complaint(place, f"{code} is not a DfE code of a local authority (three digits, such as 340)")
    for i in (i for i, row in enumerate(project.contamination) if not row.areas):
        yield Complaint(("contamination", i, "areas"), "name at least one area by its DfE code")
    for code in (code for code in treated if code in pool.exclude_areas):
        text = f"{code} is a treated area; it is never used for comparison anyway"
        yield Complaint(("pool", "exclude_areas"), text)
    if pool.neighbours == pool.alternative_neighbours:
        yield Complaint(("pool", "alternative_neighbours"), "name the other list: it is shown beside the main one")
    if not pool.minor_groups:
        yield Complaint(("pool", "minor_groups"), "without a group of schools there is no school to compare")
    if not project.matching.covariates or len(set(project.matching.covariates)) < len(project.matching.covariates):
        yield Complaint(("matching", "covariates"), "name at least one covariate, and each once")


def _numbers(project: Project) -> Iterator[Complaint]:
    cost, imputation = project.cost, project.missing.imputation
    if imputation is None and project.missing.tipping:
        text = "imputed outcomes are what is shifted, and `imputation` is left out. Write `tipping: false` as well"
        yield Complaint(("missing", "tipping"), text)
    if cost is not None and not 0 < cost.total_gbp < 1e12:
        yield Complaint(("cost", "total_gbp"), f"expected pounds above 0, found {cost.total_gbp:g}")
    if not 0.5 < project.inference.level < 1:
        text = f"expected a level between 0.5 and 1, such as 0.95; found {project.inference.level:g}"
        yield Complaint(("inference", "level"), text)
    for place, value, lowest, highest in (
        (("matching", "ratio"), project.matching.ratio, 1, 50),
        (("pool", "minimum_area_schools"), project.pool.minimum_area_schools, 1, 1000),
        (("pool", "minimum_treated"), project.pool.minimum_treated, 2, 10000),
        (("disclosure", "threshold"), project.disclosure.threshold, 1, 1000),
        (("seed",), project.seed, 0, 2**32 - 1),
        (("cost", "schools"), cost.schools if cost else 1, 1, 100_000),
        (("missing", "imputation", "draws"), imputation.draws if imputation else FEWEST_IMPUTED, FEWEST_IMPUTED, 500),
    ):
        if not lowest <= value <= highest:
            yield Complaint(place, f"expected a whole number from {lowest} to {highest}, found {value}")


def _claims_file(project: Project, folder: Path) -> Iterator[Complaint]:
    if project.claims is not None and (complaint := complaint_about(folder, project.claims)):
        yield Complaint(("claims",), complaint)


def _reference_file(project: Project, folder: Path) -> Iterator[Complaint]:
    name = project.reference_document
    if name is None:
        return
    complaint = complaint_about(folder, name)
    if complaint or not name.lower().endswith(".docx"):
        yield Complaint(("reference_document",), complaint or f"'{name}' is not a .docx: save the document as one")


def _data_folder(project: Project) -> Iterator[Complaint]:
    name = project.data.folder
    if name is None:
        return
    if not name.strip():
        yield Complaint(("data", "folder"), "the name of the folder is empty")
    elif name.startswith("~") or PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
        text = f"'{name}' is not relative to the project file. Write it as seen from there, or give --data instead"
        yield Complaint(("data", "folder"), text)
