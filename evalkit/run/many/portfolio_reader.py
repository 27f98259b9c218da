"""Every finished, failed and foreign folder among the outputs of a workspace, each report as a record."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.manifest import Vintage
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.data.areas.regions import region_of
from evalkit.diagnose.portfolio.project_record import (
    Comparison,
    FailedRun,
    OutcomeRecord,
    ProjectRecord,
    RecordedEffect,
    UnreadFolder,
    area_error,
)
from evalkit.diagnose.project.evaluation import NOT_TESTED, EvidenceRating
from evalkit.diagnose.project.falsification import JOINT
from evalkit.estimate.areas.placebo_pool import AreaTable
from evalkit.estimate.effect import MAIN
from evalkit.run.outputs.content_key import known_vintage
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.processes.failure import RUNS, environment_faults
from evalkit.run.project.workspace import is_slug

RESULTS: Final = "results.json"
REPORT: Final = "report.html"
LARGEST: Final = 100_000_000
"""Bytes beyond which a results.json is not read."""


@dataclass(frozen=True, slots=True)
class OutputsRead:
    """What was found among the outputs, each in the order of its names; `hashes` are those of the files read."""

    projects: tuple[ProjectRecord, ...]
    failed: tuple[FailedRun, ...]
    unread: tuple[UnreadFolder, ...]
    hashes: tuple[tuple[str, str], ...]


class Unusable(EvalkitError):
    """A folder among the outputs cannot be counted."""


def read_outputs(outputs: Path, site: Path, without: Collection[str] = ()) -> OutputsRead:
    """Read the outputs of every project; `site` is the folder that will link to the reports.

    Names that begin with `_` or `.` are evalkit's own. Raise `InputError` where there is no such folder.
    """
    if not outputs.is_dir():
        raise InputError(f"{outputs}: there is no such folder. `evalkit run` makes it, or name another with --outputs.")
    _refuse_unknown(without, outputs)
    projects, unread, hashes = [], [], []
    with environment_faults(f"reading {outputs}"):
        for name in _names(outputs, without):
            try:
                record, read = _read(outputs / name, site)
            except Unusable as problem:
                unread.append(UnreadFolder(name, str(problem)))
                continue
            projects.append(record)
            hashes += [(f"{name}/{file}", digest) for file, digest in read]
        failed = _failed(outputs / RUNS, {record.slug for record in projects})
    return OutputsRead(tuple(projects), failed, tuple(unread), tuple(hashes))


def _names(outputs: Path, without: Collection[str]) -> list[str]:
    return sorted(
        path.name
        for path in outputs.iterdir()
        if path.is_dir() and not path.name.startswith(("_", ".")) and path.name not in without
    )


def _refuse_unknown(without: Collection[str], outputs: Path) -> None:
    with environment_faults(f"reading {outputs}"):
        known = {path.name for path in outputs.iterdir() if path.is_dir()}
    for name in without:
        if name not in known:
            shown = name if len(name) <= 60 else f"{name[:59]}…"
            raise InputError(f"--without {shown}: there is no such folder in {outputs}.")


def _read(folder: Path, site: Path) -> tuple[ProjectRecord, list[tuple[str, str]]]:
    if folder.is_symlink() or not is_slug(folder.name):
        raise Unusable("It is a link, or its name cannot be that of a project.")
    if not (folder / MANIFEST).is_file():
        raise Unusable(f"It has no {MANIFEST}: evalkit did not make it, or a run did not end.")
    manifest, stamp = _json(folder / MANIFEST)
    if manifest.get("kind") != MANIFEST_KIND or "parameters" not in manifest:
        raise Unusable(f"Its {MANIFEST} is not that of a report: evalkit did not make it.")
    results, digest = _json(folder / RESULTS)
    _refuse_changed(folder, manifest, results, digest)
    record = _record(results, manifest, _link(folder / REPORT, site))
    record = replace(record, vintage=known_vintage(record.vintage, manifest, folder))
    return record, [(MANIFEST, stamp), (RESULTS, digest)]


def _refuse_changed(folder: Path, manifest: dict[str, Any], results: dict[str, Any], digest: str) -> None:
    written = manifest.get("outputs")
    if not isinstance(written, dict) or written.get(RESULTS) != digest:
        raise Unusable(f"Its {RESULTS} is not the one its run wrote. Run the project again.")
    if not folder.name == results.get("project") == manifest.get("slug"):
        raise Unusable("The folder's name is not that of the project in it. Give it back its name.")
    if not (folder / REPORT).is_file():
        raise Unusable(f"It has no {REPORT}. Run the project again.")


def _json(path: Path) -> tuple[dict[str, Any], str]:
    """Return what a JSON file holds, and its SHA-256."""
    try:
        if path.stat().st_size > LARGEST:
            raise Unusable(f"Its {path.name} is larger than a report's could be.")
        content = path.read_bytes()
        held = json.loads(content)
    except FileNotFoundError:
        raise Unusable(f"It has no {path.name}.") from None
    except PermissionError:
        raise Unusable(f"Its {path.name} may not be read. Check who owns it.") from None
    except (ValueError, RecursionError):
        raise Unusable(f"Its {path.name} is not JSON: it is damaged or was written by something else.") from None
    if not isinstance(held, dict):
        raise Unusable(f"Its {path.name} does not hold a record.")
    return held, hashlib.sha256(content).hexdigest()


def _record(results: dict[str, Any], manifest: dict[str, Any], report: str) -> ProjectRecord:
    try:
        return project_record(results, manifest, report)
    except EvalkitError as problem:
        raise Unusable(str(problem)) from None
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
        raise Unusable(
            f"Its {RESULTS} does not hold what a report of this version holds. Run the project again."
        ) from None


def _link(report: Path, site: Path) -> str:
    try:
        relative = os.path.relpath(report.resolve(), site.resolve())
    except ValueError:
        raise InputError("The site and the reports lie on two drives, so no link can lead there. Give --out.") from None
    return quote(Path(relative).as_posix())


def _failed(folder: Path, finished: set[str]) -> tuple[FailedRun, ...]:
    """Return the projects whose last run failed, from the records that runs leave."""
    failed = []
    for path in sorted(folder.glob("*.failed.json")) if folder.is_dir() else ():
        slug = path.name.removesuffix(".failed.json")
        try:
            held, _ = _json(path)
        except Unusable as problem:
            held = {"kind": "unknown", "message": f"The record of the failure cannot be read. {problem}"}
        kind, message = (str(held.get(key) or "not stated") for key in ("kind", "message"))
        where = ", ".join(str(held[key]) for key in ("stage", "heading") if held.get(key))
        failed.append(FailedRun(slug, kind, where, message, slug in finished))
    return tuple(failed)


# What results.json and manifest.json of one project hold, as a portfolio needs it.

Json = Mapping[str, Any]
VERSION: Final = 2
"""Of results.json; that of manifest.json is the first."""
MANIFEST_VERSION: Final = 1
POOLED_ROLES: Final = ("primary", "secondary", "placebo")
LISTED: Final = Unavailable(
    "It lists its schools: no whole area without a programme stands in for them, so sets of areas cannot judge it."
)
NO_AREAS: Final = Unavailable("Its report holds no areas without a programme, so sets of them cannot judge it.")
OLD: Final = Unavailable(
    "Its results.json is of an earlier version and does not say where areas stood before. Run the project again."
)
NO_EFFECT: Final = (
    "Its primary analysis describes and gives no effect, so that there is nothing to set beside the others' effects. "
    "Its report stands by itself."
)
NO_RATING: Final = Unavailable("Its report holds no rating. Run the project again with this version.")


def project_record(results: Json, manifest: Json, report: str) -> ProjectRecord:
    """Return the record of a project; `report` is the link to its report.

    Raises
    ------
    InputError
        If the two files are of another version.
    KeyError, TypeError, ValueError, EvalkitError
        If they do not hold what a report holds.
    """
    if (results["schema_version"], manifest["schema_version"]) != (VERSION, MANIFEST_VERSION):
        raise InputError("Its results.json is of another version of evalkit. Run the project again with this one.")
    if not results["effects"] and any(one.get("primary") and one.get("describes") for one in results["analyses"]):
        raise InputError(NO_EFFECT)
    project = manifest["parameters"]
    arms = _areas(results, project["pool"]["neighbours"])
    treated, compared = (tuple(sorted(int(code) for code, _ in arms[arm])) for arm in ("treated", "comparison"))
    outcomes = _outcomes(results, project, treated)
    primary = next(record.outcome for record in outcomes if record.role == "primary")
    return ProjectRecord(
        slug=str(results["project"]),
        title=str(project["title"]),
        place=str(project["programme"]["place"]),
        theme=str(project["programme"].get("theme", "")).strip(),
        region=region_of(treated),
        data_kind=_data_kind(results["data_kind"]),
        treated=treated,
        compared=compared,
        area_names=tuple(sorted((int(code), str(name)) for code, name in (*arms["treated"], *arms["comparison"]))),
        pre=_years(project, "pre"),
        post=_years(project, "post"),
        primary=primary,
        outcomes=outcomes,
        rating=_rating(results),
        n_serious=_serious_facts(results),
        joint_p=_joint_p(results),
        threshold=int(project["disclosure"]["threshold"]),
        report=report,
        vintage=_vintage(manifest),
    )


def _vintage(manifest: Json) -> Vintage:
    """Return what a report was made from, as far as its manifest says; the hash is that of all data files together."""
    inputs = manifest.get("inputs", ())
    data = sorted(f"{one['path']} {one['sha256']}" for one in inputs if str(one["path"]).startswith("data/"))
    return Vintage(
        kit=str(manifest.get("versions", {}).get("evalkit", "")),
        commit=str(manifest.get("commit", "")),
        data=hashlib.sha256("\n".join(data).encode()).hexdigest() if data else "",
    )


def quantity(value: Any) -> Quantity:
    """Return a number of results.json, or the reason that stands in its place."""
    if isinstance(value, Mapping):
        return Unavailable(str(value["unavailable"]))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is missing")
    return float(value)


def interval(value: Any) -> IntervalOrReason:
    """Return an interval of results.json, or the reason that stands in its place."""
    if "unavailable" in value:
        return Unavailable(str(value["unavailable"]))
    return Interval(float(value["lower"]), float(value["upper"]), float(value["level"]))


def _data_kind(value: Any) -> Any:
    if value not in ("real", "synthetic"):
        raise ValueError("it does not say whether its data are real or synthetic")
    return value


def _years(project: Json, key: str) -> tuple[int, ...]:
    return tuple(sorted(int(year) for year in project["exposure"][key]))


def _areas(results: Json, main: str) -> Json:
    return next(areas for areas in results["areas"] if areas["list_name"] == main)


def _outcomes(results: Json, project: Json, treated: Collection[int]) -> tuple[OutcomeRecord, ...]:
    roles = {outcome["measure"]: outcome["role"] for outcome in project["outcomes"]}
    codes = [code for code, role in roles.items() if role in POOLED_ROLES]
    codes += [f"{one['measure']}-{one['minus']}" for one in project.get("contrasts", ())]
    effects = {code: _main_effect(results, code) for code in codes}
    return tuple(_outcome(effect, results, project, treated) for effect in effects.values() if effect is not None)


def _main_effect(results: Json, outcome: str) -> Json | None:
    """Return the effect on an outcome against neighbours after the programme whose error allows for area shocks.

    Where none has an interval, that with areas as clusters says why.
    """
    key = (outcome, *MAIN)
    records = [one for one in results["effects"] if (one["outcome"], one["design"], one["period"]) == key]
    return min(records, key=_preference, default=None)


def _preference(effect: Json) -> tuple[bool, bool, bool]:
    has_none = "unavailable" in effect["interval"]
    is_second = effect["inference"] != ("cluster" if has_none else "permutation")
    return effect["cluster_level"] != "local_authority", has_none, is_second


def _outcome(effect: Json, results: Json, project: Json, treated: Collection[int]) -> OutcomeRecord:
    error, source = area_error(_found(effect, results, project))
    table = _table(results, effect["outcome"], project)
    if isinstance(table, AreaTable) and table.own not in treated:
        raise ValueError("the area that moved is not the one that was treated")
    none = {"unavailable": "No effect size is given beside this kind of interval."}
    return OutcomeRecord(
        outcome=str(effect["outcome"]),
        role=str(effect["role"]),
        comparison=Comparison(
            design=str(effect["design"]),
            neighbour_list=str(project["pool"]["neighbours"]),
            weights=str(project["estimation"]["weights"]),
            estimand=Estimand(effect["estimand"]),
        ),
        estimate=quantity(effect["estimate"]),
        std_error=error,
        error_source=source,
        interval=interval(effect["interval"]),
        hedges_g=quantity(effect.get("hedges_g", none)),
        hedges_g_interval=interval(effect.get("hedges_g_interval", none)),
        sd_used=quantity(effect.get("sd_used", none)),
        sd_name=str(effect.get("sd_name", "none")),
        n_treated=int(effect["n_treated"]),
        table=table,
    )


def _table(results: Json, outcome: str, project: Json) -> AreaTable | Unavailable:
    """Return every area's change and where it stood before, or why no area can stand in for the project's."""
    chosen = project.get("participants", {})
    if not chosen.get("areas") and chosen.get("rule", "file" if "areas" in chosen else "local_authority") == "file":
        return LISTED
    distribution = next((one for one in results.get("distributions", ()) if _is_main(one, outcome)), None)
    if distribution is None:
        return NO_AREAS
    if any(key not in distribution for key in ("pre_means", "baseline_gaps", "n_schools")):
        return OLD
    effects, gaps, levels = (
        tuple(map(_number, distribution[key])) for key in ("effects", "baseline_gaps", "pre_means")
    )
    return AreaTable(
        own=int(distribution["treated_area"]),
        areas=tuple(int(area) for area in distribution["areas"]),
        effects=effects,
        gaps=gaps,
        levels=levels,
        sizes=tuple(0 if isinstance(n, Mapping) else int(n) for n in distribution["n_schools"]),
    )


def _is_main(distribution: Json, outcome: str) -> bool:
    return bool((distribution["outcome"], distribution["design"]) == (outcome, MAIN[0]))


def _number(value: Any) -> float:
    number = quantity(value)
    if isinstance(number, Unavailable) or not math.isfinite(number):
        raise ValueError("an area lacks a number")
    return number


def _found(effect: Json, results: Json, project: Json) -> RecordedEffect:
    return RecordedEffect(
        inference=str(effect["inference"]),
        cluster_level=str(effect["cluster_level"]),
        std_error=quantity(effect["std_error"]),
        interval=interval(effect["interval"]),
        placebos=_placebos(results, effect["outcome"]),
        is_studentised=project["inference"]["statistic"] == "studentised",
    )


def _placebos(results: Json, outcome: str) -> tuple[float, ...]:
    for one in results.get("distributions", ()):
        if _is_main(one, outcome):
            pairs = zip(one["areas"], one["effects"], strict=True)
            return tuple(float(effect) for area, effect in pairs if area != one["treated_area"])
    return ()


def _serious_facts(results: Json) -> int:
    return sum((one["kind"], one["verdict"]) == ("design fact", "serious") for one in results["findings"])


def _joint_p(results: Json) -> Quantity:
    """Return the p-value of all falsification tests together; of single ones a portfolio makes nothing."""
    p_value = next((one["p_value"] for one in results["findings"] if one["name"] == JOINT), None)
    return NOT_TESTED if p_value is None else quantity(p_value)


def _rating(results: Json) -> EvidenceRating:
    """Return the rating that the report holds; reports of earlier versions hold none."""
    held = results.get("rating")
    if held is None:
        return EvidenceRating(NO_RATING, NO_RATING.reason)
    value = quantity(held["value"])
    return EvidenceRating(value if isinstance(value, Unavailable) else int(value), str(held["sentence"]))
