"""Files about areas: series of the Local Authority Interactive Tool, neighbours as CSV, outlines, and deprivation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import decimal_text, whole_text
from evalkit.data.synthetic.ees_areas import codes_of, level_of
from evalkit.data.synthetic.england import SHEET
from evalkit.data.synthetic.geography import Areas, area_name, outlines
from evalkit.data.synthetic.gias_extract import Establishments, lsoa_codes
from evalkit.data.synthetic.later import Later, LaterSummer
from evalkit.data.synthetic.long_csv import write_columns
from evalkit.data.synthetic.public_codes import SPLIT, gss_codes, region_of
from evalkit.data.synthetic.world import SCORE_YEARS

_ENGLAND, _REGIONS = 970, 980
_REGION_ORDER: Final = (
    "North East", "North West", "Yorkshire and The Humber", "East Midlands", "West Midlands", "East of England",
    "London", "Inner London", "Outer London", "South East", "South West",
)  # fmt: skip
_LATEST: Final = 2025


def write_area_files(
    folder: Path, seed: int, later: Later, summers: dict[int, LaterSummer], every: Establishments
) -> None:
    """Write what is published of areas beside Explore Education Statistics."""
    _write_series(folder, seed, later, summers)
    _write_neighbours(folder)
    _write_outlines(folder, seed, later.schools.areas)
    _write_deprivation(folder, seed, later.schools.areas, every)


# The Local Authority Interactive Tool: one long table, values as text.

_MEASURES: Final = {  # name: England's level in 2016, a year's trend, what deprivation takes off, decimals, label
    "KS2RWM_Expected_STD": (54.0, 1.2, -3.5, 0, "{y}"),
    "KS2R_AVG_Scaled_Score": (103.0, 0.25, -1.0, 0, "{y}"),
    "KS2M_AVG_Scaled_Score": (103.0, 0.15, -0.9, 0, "{y}"),
    "KS2R_Prog_VA": (0.0, 0.0, -0.4, 1, "{y}"),
    "KS2M_Prog_VA": (0.0, 0.0, -0.4, 1, "{y}"),
    "AVG_Attain8_Score": (49.5, -0.4, -3.0, 1, "{y}"),
    "AVG_Prog8_Score": (-0.03, 0.0, -0.15, 2, "{y}"),
    "FSP_NEW_GOODDEV": (69.0, 0.3, -2.5, 1, "{y}"),
    "PriTotAbs": (4.0, 0.2, 0.3, 2, "{y}"),
    "SecTotAbs": (5.2, 0.4, 0.5, 2, "{y}"),
    "TotAbs": (4.6, 0.3, 0.4, 2, "{y}"),
    "CINPermExclusion": (0.6, 0.02, 0.1, 2, "{y}"),
    "SecPermEx": (0.17, 0.01, 0.05, 2, "{b}/{s}"),
    "APSE_Alevel": (31.0, 0.3, -1.5, 1, "{y} (Rev)"),
    "SENFinance": (310.0, 9.0, 20.0, 0, "{b}-{s} (OT)"),
}
_TESTED: Final = ("KS2", "AVG_Prog8", "FSP")
_CANCELLED: Final = (2020, 2021)
_PROGRESS_OF: Final = {0: "KS2R_Prog_VA", 2: "KS2M_Prog_VA"}
_PROGRESS_YEARS: Final = (2016, 2017, 2018, 2019, 2022, 2023)


def _write_series(folder: Path, seed: int, later: Later, summers: dict[int, LaterSummer]) -> None:
    """Write `lait/bds_long_0.parquet`: fifteen measures of every authority, region and England, 2016 to 2025."""
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    numbers = _numbers(later.schools.areas)
    own = _school_means(later, summers)
    for measure, (start, trend, slope, decimals, form) in _MEASURES.items():
        rng = stream(seed, f"lait-{measure}")
        lasting = rng.normal(0.0, 0.6 * abs(slope) + 0.1, len(numbers))
        for year in range(2016, _LATEST + 1):
            level = np.array([row[3] for row in numbers])
            values = (
                start
                + trend * (year - 2016)
                + slope * level
                + lasting
                + rng.normal(0.0, 0.3 * abs(slope), len(numbers))
            )
            known = own.get((measure, year), {})
            text = [
                known.get(row[0], cell)
                for row, cell in zip(numbers, decimal_text(values, decimals).tolist(), strict=True)
            ]
            if _is_missing(measure, year):
                text = ["-"] * len(numbers)
            columns["Short Desc"] += [measure] * len(numbers)
            columns["Data item"] += ["Synthetic series" if year == 2016 else "NA"] * len(numbers)
            columns["Years"] += [form.format(y=year, b=year - 1, s=year % 100)] * len(numbers)
            columns["LA and Regions"] += [row[1] for row in numbers]
            columns["Values"] += text
            columns["LA Number"] += [float(row[0]) for row in numbers]
            columns["Region"] += [row[2] for row in numbers]
    path = folder / "lait" / "bds_long_0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    types = {name: pa.float64() if name == "LA Number" else pa.string() for name in _COLUMNS}
    table = pa.table({name: pa.array(cells, type=types[name]) for name, cells in columns.items()})
    pq.write_table(table.replace_schema_metadata({"synthetic": "made-up schools and areas"}), path)


_COLUMNS: Final = ("Short Desc", "Data item", "Years", "LA and Regions", "Values", "LA Number", "Region")


def _is_missing(measure: str, year: int) -> bool:
    if "_Prog" in measure and year not in _PROGRESS_YEARS:
        return True
    if measure.endswith("TotAbs") and year == 2020:
        return True
    return measure.startswith(_TESTED) and year in _CANCELLED


def _numbers(areas: Areas) -> list[tuple[int, str, str, float]]:
    """Return number, name, region and deprivation of every row: authorities, England, regions."""
    codes = codes_of(areas, _LATEST)
    rows = [(code, area_name(code), region_of(code)[1], level_of(areas, code)) for code in codes]
    rows.append((_ENGLAND, "England", "NA", 0.0))
    names = {"Inner London": "London (Inner)", "Outer London": "London (Outer)"}
    for at, name in enumerate(_REGION_ORDER):
        own = [row[3] for row in rows if row[2] == name or (name == "London" and row[2].endswith("London"))]
        rows.append((_REGIONS + at, names.get(name, name), "NA", float(np.mean(own))))
    return rows


def _school_means(later: Later, summers: dict[int, LaterSummer]) -> dict[tuple[str, int], dict[int, str]]:
    """Return what follows from the schools themselves: averages and shares of the later summers, by authority."""
    found: dict[tuple[str, int], dict[int, str]] = {}
    code = later.code(_LATEST)
    for year, summer in summers.items():
        measures = {
            "KS2RWM_Expected_STD": 100.0 * summer.shares["PTRWM_EXP"],
            "KS2R_AVG_Scaled_Score": summer.averages["READ_AVERAGE"],
            "KS2M_AVG_Scaled_Score": summer.averages["MAT_AVERAGE"],
        }
        for measure, values in measures.items():
            found[measure, year] = dict(_means(code, summer.pupils, values, 0))
        if year in _PROGRESS_YEARS:
            for place, measure in _PROGRESS_OF.items():
                found[measure, year] = dict(_means(code, summer.pupils, summer.progress[:, place], 1))
    for at, year in enumerate(SCORE_YEARS):
        for place, measure in _PROGRESS_OF.items():
            scores, pupils = later.schools.scores[:, at, place], later.schools.cohort[:, at]
            found[measure, year] = dict(_means(code, pupils, scores, 1))
    return found


def _means(code: Ints, weight: Ints, values: Floats, decimals: int) -> Iterator[tuple[int, str]]:
    distinct, place = np.unique(code, return_inverse=True)
    sums, totals = np.bincount(place, weight * values), np.bincount(place, weight)
    texts = decimal_text(sums / np.maximum(totals, 1), decimals).tolist()
    yield from zip(distinct.tolist(), texts, strict=True)
    yield _ENGLAND, decimal_text(np.array([sums.sum() / totals.sum()]), decimals)[0]


# The neighbour lists of the workbooks again, as they go round as CSV.


def _write_neighbours(folder: Path) -> None:
    """Write both lists as CSV: that of 2021 repeats a column name and ends its rows with a comma."""
    for source, target in (
        ("sn_april_2021", "New_Statistical_Neighbour_Groupings_April_2021"),
        ("sn_may_2025", "sn_model_2025_wide"),
    ):
        rows = _workbook_rows(folder / "lait" / f"{source}.xlsx")
        path = folder / "neighbours" / f"{target}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith("2021"):
            pairs = ",".join(f"SN{k},SNP" for k in range(1, 11))
            lines = [f"LA num,LA Name,LA number,GOInd,GOReg,{pairs},", *(",".join(row) + "," for row in rows)]
        else:
            pairs = ",".join(f"SN_{k},SN_{k}P" for k in range(1, 11))
            lines = [
                f"old_la_code,la_name,region_ind,region_name,{pairs}",
                *(",".join(row[:2] + row[3:]) for row in rows),
            ]
        path.write_bytes(b"\xef\xbb\xbf" + ("\r\n".join(lines) + "\r\n").encode("utf-8"))


def _workbook_rows(path: Path) -> list[list[str]]:
    """Return the authorities' rows of a neighbour workbook as text."""
    book = openpyxl.load_workbook(path, read_only=True)
    rows = []
    for row in book[SHEET].iter_rows(min_row=4, values_only=True):
        if row[0] is None:
            break
        rows.append(["" if cell is None else str(cell) for cell in row])
    book.close()
    return rows


# Outlines in two layers, as the Office for National Statistics publishes them; the first lacks metropolitan districts.


def _write_outlines(folder: Path, seed: int, areas: Areas) -> None:
    """Write upper-tier authorities without metropolitan districts, and districts of December 2024 without counties."""
    shapes = dict(_present_outlines(seed, areas))
    upper = {code: ring for code, ring in shapes.items() if not gss_codes()[code].startswith("E08")}
    lower = {code: ring for code, ring in shapes.items() if not gss_codes()[code].startswith("E10")}
    _write_layer(folder / "boundaries" / "Upper_Tier_Local_Authorities_Synthetic.geojson", upper, "UTLA22")
    _write_layer(folder / "boundaries" / "Local_Authority_Districts_December_2024_Synthetic.geojson", lower, "LAD24")


def _present_outlines(seed: int, areas: Areas) -> Iterator[tuple[int, list[list[float]]]]:
    """Yield today's authorities: a divided county is cut from north to south."""
    for code, ring in outlines(seed, areas):
        if code not in SPLIT:
            yield code, ring
            continue
        west, east = SPLIT[code][1]
        # corners: north, north-east, south-east, south, south-west, north-west, north again
        yield west, [ring[0], ring[3], *ring[4:6], ring[0]]
        yield east, [*ring[0:4], ring[0]]


def _write_layer(path: Path, shapes: dict[int, list[list[float]]], prefix: str) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"OBJECTID": at, f"{prefix}CD": gss_codes()[code], f"{prefix}NM": area_name(code)},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for at, (code, ring) in enumerate(sorted(shapes.items()), start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"type": "FeatureCollection", "name": "Synthetic England", "features": features}
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


# Deprivation of the neighbourhoods that the register places schools in.


def _write_deprivation(folder: Path, seed: int, areas: Areas, every: Establishments) -> None:
    """Write the index of income deprivation affecting children by neighbourhood, with its rank and tenth."""
    codes, first = np.unique(lsoa_codes(every).astype(str), return_index=True)
    level = {code: level_of(areas, code) for code in np.unique(every.code).tolist()}
    authority = every.code[first]
    drawn = stream(seed, "idaci").normal(0.0, 0.06, len(codes))
    score = np.clip(0.17 + 0.05 * np.array([level[code] for code in authority.tolist()]) + drawn, 0.005, 0.7)
    rank = np.empty(len(codes), dtype=np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(1, len(codes) + 1)
    index = "Income Deprivation Affecting Children Index (IDACI)"
    columns = {
        "LSOA code (2021)": codes.astype(object),
        "LSOA name (2021)": np.array([f"Synthetic Neighbourhood {code[3:]}" for code in codes.tolist()], dtype=object),
        "Local Authority District code (2024)": np.array([gss_codes()[c] for c in authority.tolist()], dtype=object),
        "Local Authority District name (2024)": np.array([area_name(c) for c in authority.tolist()], dtype=object),
        f"{index} Score (rate)": decimal_text(score, 3),
        f"{index} Rank (where 1 is most deprived)": whole_text(rank),
        f"{index} Decile (where 1 is most deprived 10% of LSOAs)": whole_text((rank - 1) * 10 // len(codes) + 1),
    }
    write_columns(folder / "deprivation" / "idaci_2025_lsoa.csv", columns)
