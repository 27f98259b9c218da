"""Small made-up projects, as records and as the files a run would have left."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from evalkit.core.quantities import Estimand, Interval, Unavailable
from evalkit.diagnose.portfolio.project_record import Comparison, OutcomeRecord, ProjectRecord
from evalkit.diagnose.project.evaluation import evidence_rating
from evalkit.estimate.areas.placebo_pool import AreaTable

NEIGHBOURS = Comparison(design="neighbours", neighbour_list="april_2021", weights="schools", estimand=Estimand.AREA_ITT)
SD_NAME = "SD of pupil progress, conditional on prior attainment; somewhere, 2019"
Z = 1.959963984540054
OF_ITS_ERROR = Unavailable("A project fills in areas that moved by the error of its estimate.")
PLACEBOS = tuple(range(5001, 5061))
"""Sixty areas without a programme."""


def area_table(own: int, estimate: float, error: float) -> AreaTable:
    """Return areas that moved by ± the error in turn, all level with their neighbours before, ever higher and larger.

    What is left of an effect given the baseline is the effect, and the error of every size is the error, exactly.
    """
    n = len(PLACEBOS)
    return AreaTable(
        own=own,
        areas=(own, *PLACEBOS),
        effects=(estimate, *(error if at % 2 else -error for at in range(n))),
        gaps=(0.0,) * (n + 1),
        levels=(0.5 * n, *map(float, range(n))),
        sizes=(10 + n // 2, *range(10, 10 + n)),
    )


def outcome(estimate=0.5, error=0.4, **changes) -> OutcomeRecord:
    """Return an estimate with its interval, in points and in SDs of 5 points."""
    known = not isinstance(estimate, Unavailable) and not isinstance(error, Unavailable)
    reach = Z * error if known else 0.0
    none = estimate if isinstance(estimate, Unavailable) else error
    values = {
        "outcome": "READPROG",
        "role": "primary",
        "comparison": NEIGHBOURS,
        "estimate": estimate,
        "std_error": error,
        "error_source": "placebo areas" if known else "none",
        "interval": Interval(estimate - reach, estimate + reach) if known else none,
        "hedges_g": estimate / 5 if known else none,
        "hedges_g_interval": Interval((estimate - reach) / 5, (estimate + reach) / 5) if known else none,
        "sd_used": 5.0,
        "sd_name": SD_NAME,
        "n_treated": 40,
        "table": OF_ITS_ERROR if known else none,
    }
    return OutcomeRecord(**(values | changes))


def project(slug, *outcomes, **changes) -> ProjectRecord:
    """Return a project of its own area; without outcomes it has one on reading."""
    number = sum(map(ord, slug))
    held = outcomes or (outcome(),)
    values = {
        "slug": slug,
        "title": f"The {slug} programme",
        "place": slug.capitalize(),
        "theme": "literacy",
        "region": "North West",
        "data_kind": "real",
        "treated": (number,),
        "compared": (),
        "area_names": ((number, slug.capitalize()),),
        "pre": (2016, 2017),
        "post": (2019,),
        "primary": next(one.outcome for one in held if one.role == "primary"),
        "outcomes": held,
        "rating": evidence_rating(0.25, 0.02, 1),
        "n_serious": 1,
        "joint_p": 0.5,
        "threshold": 6,
        "report": f"../{slug}/report.html",
    }
    made = ProjectRecord(**(values | changes))
    return replace(made, outcomes=tuple(_with_areas(one, made.treated[0]) for one in made.outcomes))


def _with_areas(one: OutcomeRecord, own: int) -> OutcomeRecord:
    filled = one.table == OF_ITS_ERROR
    return replace(one, table=area_table(own, one.estimate, one.std_error)) if filled else one


def projects(estimates, error=0.4, **changes) -> list[ProjectRecord]:
    """Return one project for each estimate, named a, b, c …"""
    return [project(chr(97 + at), outcome(value, error), **changes) for at, value in enumerate(estimates)]


def results(slug: str, estimate: float = 0.5, **changes) -> dict:
    """Return what a portfolio reads of a results.json: one outcome whose 40 placebo areas moved by ±0.5 points."""
    placebos = [0.5 if at % 2 else -0.5 for at in range(40)]
    own = changes["areas"][0]["treated"][0][0] if "areas" in changes else 340
    effect = {
        "outcome": "READPROG",
        "role": "primary",
        "design": "neighbours",
        "estimand": "AREA_ITT",
        "period": "post",
        "estimate": estimate,
        "std_error": {"unavailable": "The permutation gives no standard error."},
        "interval": {"lower": estimate - 1, "upper": estimate + 1, "level": 0.95},
        "inference": "permutation",
        "cluster_level": "local_authority",
        "n_treated": 40,
        "hedges_g": estimate / 5,
        "hedges_g_interval": {"lower": (estimate - 1) / 5, "upper": (estimate + 1) / 5, "level": 0.95},
        "sd_used": 5.0,
        "sd_name": SD_NAME,
    }
    by_school = effect | {
        "inference": "cluster",
        "cluster_level": "school",
        "std_error": 0.1,
        "interval": {"unavailable": "School sampling only."},
    }
    record = {
        "schema_version": 2,
        "project": slug,
        "data_kind": "real",
        "effects": [by_school, effect],
        "distributions": [
            {
                "outcome": "READPROG",
                "design": "neighbours",
                "areas": [own, *range(4000, 4040)],
                "effects": [estimate, *placebos],
                "treated_area": own,
                "pre_means": [20.0, *map(float, range(40))],
                "baseline_gaps": [0.0] * 41,
                "n_schools": [30, *range(10, 50)],
                "pre": [2016, 2017],
                "post": [2019],
            }
        ],
        "areas": [
            {
                "list_name": "april_2021",
                "list_label": "April 2021",
                "treated": [[340, "Knowsley"]],
                "comparison": [[341, "Liverpool"], [355, "Salford"]],
                "absent": [],
            }
        ],
        "findings": [
            _finding("pre_trend", "serious", "falsification test", 0.02),
            _finding("joint", "caution", "falsification test", 0.067),
            _finding("balance", "serious", "design fact", {"unavailable": "Not ranked."}),
            _finding("overlap", "caution", "design fact", {"unavailable": "Not ranked."}),
        ],
        "rating": {"value": 3, "sentence": "4 for the design, less 1 for 1 serious design fact."},
    }
    return record | changes


def _finding(name: str, verdict: str, kind: str, p_value: object) -> dict:
    return {"name": name, "verdict": verdict, "kind": kind, "p_value": p_value, "statistic": 1.0, "sentence": "So."}


def manifest(slug: str, title: str = "", **changes) -> dict:
    """Return what a portfolio reads of a manifest.json."""
    parameters = {
        "title": title or f"The {slug} programme",
        "programme": {"place": slug.capitalize(), "theme": "literacy"},
        "exposure": {"pre": [2016, 2017], "partial": [2018], "post": [2019]},
        "outcomes": [{"measure": "READPROG", "role": "primary"}],
        "pool": {"neighbours": "april_2021"},
        "estimation": {"weights": "schools"},
        "inference": {"statistic": "unstudentised"},
        "disclosure": {"threshold": 6},
    }
    return {"kind": "evalkit outputs", "schema_version": 1, "slug": slug, "parameters": parameters} | changes


def area(code: int) -> list[dict]:
    """Return the areas of a project whose treated area is another one."""
    near = [[code + 1, f"Area {code + 1}"], [355, "Salford"]]
    return [{"list_name": "april_2021", "treated": [[code, f"Area {code}"]], "comparison": near, "absent": []}]


def write_finished(parent: Path, held: dict, made: dict) -> Path:
    """Write a folder as a finished run leaves it."""
    folder = parent / str(made["slug"])
    folder.mkdir(parents=True)
    content = json.dumps(held).encode()
    (folder / "results.json").write_bytes(content)
    (folder / "report.html").write_text(f"<title>{made['slug']}</title><h1>{made['slug']}</h1>", encoding="utf-8")
    hashes = {"results.json": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(made | {"outputs": hashes}), encoding="utf-8")
    return folder
