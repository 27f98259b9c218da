"""One program at one task of the benchmark of the store: `python store_task.py PROGRAM TASK RAW WORK`.

Prints a JSON object with the answer, by which programs are compared, and the seconds of the task without imports.
"""

import json
import sys
import time
from pathlib import Path

from common import hold_to_memory

PUPIL, YEAR, SCHOOL, SCORE = "KS2_PupilMatchingRefAnonymous", "KS2_ACADYR", "KS2_URN", "KS2_READSCORE"
SQL = """
SELECT {school} AS school, {year} AS year, count(*) AS n, count(score) AS n_scores, avg(score) AS mean,
       median(score) AS middle
FROM (SELECT {year}, {school}, {pupil}, any_value(TRY_CAST({score} AS DOUBLE)) AS score FROM {table} GROUP BY ALL)
GROUP BY ALL
"""
NAMES = {"school": SCHOOL, "year": YEAR, "pupil": PUPIL, "score": SCORE}
MEMORY = "600MB"
ENGLAND_YEARS = range(2016, 2020)


def answer(frame) -> dict[str, float]:
    """Return what every program must agree on."""
    sums = {"groups": len(frame), "pupils": int(frame["n"].sum()), "scores": int(frame["n_scores"].sum())}
    return sums | {name: round(float(frame[name].sum()), 2) for name in ("mean", "middle")}


def csv_files(raw: Path) -> list[Path]:
    return sorted(path for path in raw.rglob("*") if path.name.endswith((".csv", ".csv.gz")))


def kit_import(raw: Path, work: Path):
    from evalkit import import_folder

    store = import_folder(raw, work / "kit")
    return {"rows": sum(entry.contents.rows for entry in store.entries if entry.is_used)}


def kit_again(raw: Path, work: Path):
    from contextlib import redirect_stdout
    from io import StringIO

    from evalkit.run.cli import main

    with redirect_stdout(StringIO()):
        return {"exit": main(["import", str(raw), "--store", str(work / "kit"), "--json"])}


def kit_panel(raw: Path, work: Path):
    from evalkit import open_store, school_years

    found = school_years(open_store(work / "kit"), [SCORE], memory=MEMORY).rows
    return answer(found.rename(columns={"n": "n_scores", "n_pupils": "n", "median": "middle"}))


def duckdb_import(raw: Path, work: Path):
    import duckdb

    return _each(raw, work / "duckdb", lambda path, place: duckdb.sql(
        f"COPY (SELECT * FROM read_csv('{path}', all_varchar=true, header=true, nullstr='\\x01')) TO '{place}'"
    ))  # fmt: skip


def duckdb_panel(raw: Path, work: Path, memory: str = "6GB"):
    import duckdb

    settings = {"memory_limit": memory, "temp_directory": str(work / "spill")}
    with duckdb.connect(config=settings) as asked:
        return answer(asked.execute(SQL.format(table=f"'{work}/duckdb/*.parquet'", **NAMES)).df())


def duckdb_held_panel(raw: Path, work: Path):
    return duckdb_panel(raw, work, MEMORY)


def kit_england(raw: Path, work: Path):
    """Wide tables of three summers to one listing of four, schools followed over conversions."""
    from evalkit.data.published.performance import read_performance
    from evalkit.data.published.school_lists import Links
    from evalkit.data.published.sources import find_sources

    tables = find_sources(raw).tables["KS2"]
    listing = read_performance(tables, Links({}, ()), ["READPROG", "WRITPROG", "MATPROG"], "KS2", ENGLAND_YEARS)
    return _england(listing.scores["READPROG"], listing.scores["year"])


def kit_stored_england(raw: Path, work: Path):
    from evalkit import import_folder
    from evalkit.data.store.in_use import use_store

    if not (work / "england").exists():  # a process before the one that is measured
        import_folder(raw, work / "england")
        return {}
    use_store(work / "england")
    return kit_england(raw, work)


def pandas_england(raw: Path, work: Path):
    import pandas as pd

    parts = []
    for summer, path in zip(range(2017, 2020), sorted(raw.rglob("*ks2final.csv")), strict=True):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        frame = frame[frame["RECTYPE"].isin(["1", "2"])]
        parts.append(frame[["URN", "READPROG"]].assign(year=summer))
        if summer == 2017:
            before = frame[["URN", "READPROG_16"]].set_axis(["URN", "READPROG"], axis=1)
            parts.append(before.assign(year=2016))
    panel = pd.concat(parts)
    return _england(panel["READPROG"], panel["year"])


def _england(cells, years):
    import pandas as pd

    numbers = pd.to_numeric(cells, errors="coerce")
    return {"rows": len(cells), "numbers": int(numbers.notna().sum()), "total": round(float(numbers.sum()), 2),
            "years": len(set(years))}  # fmt: skip


def polars_import(raw: Path, work: Path):
    import polars as pl

    return _each(raw, work / "polars", lambda path, place: pl.scan_csv(path, infer_schema=False).sink_parquet(place))


def polars_panel(raw: Path, work: Path):
    import polars as pl

    rows = pl.scan_parquet(work / "polars" / "*.parquet").select(YEAR, SCHOOL, PUPIL, SCORE)
    once = rows.group_by(YEAR, SCHOOL, PUPIL).agg(pl.col(SCORE).cast(pl.Float64, strict=False).first())
    panel = once.group_by(SCHOOL, YEAR).agg(
        n=pl.len(), n_scores=pl.col(SCORE).count(), mean=pl.col(SCORE).mean(), middle=pl.col(SCORE).median()
    )
    return answer(panel.collect(engine="streaming").to_pandas())


def pandas_import(raw: Path, work: Path):
    import pandas as pd

    def convert(path: Path, place: Path) -> None:
        pd.read_csv(path, dtype=str, keep_default_na=False, encoding_errors="replace").to_parquet(place)

    return _each(raw, work / "pandas", convert)


def pandas_panel(raw: Path, work: Path):
    import pandas as pd

    columns = [YEAR, SCHOOL, PUPIL, SCORE]
    rows = pd.concat([pd.read_parquet(path, columns=columns) for path in sorted((work / "pandas").glob("*"))])
    rows[SCORE] = pd.to_numeric(rows[SCORE], errors="coerce")
    once = rows.groupby([YEAR, SCHOOL, PUPIL], sort=False)[SCORE].first().reset_index()
    found = once.groupby([SCHOOL, YEAR])[SCORE].agg(n="size", n_scores="count", mean="mean", middle="median")
    return answer(found.reset_index())


def _each(raw: Path, folder: Path, convert) -> dict[str, object]:
    """Convert every CSV file and return how many there were and which could not be read."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for at, path in enumerate(csv_files(raw)):
        try:
            convert(path, folder / f"{at}.parquet")
        except Exception as problem:
            failed.append(f"{path.name}: {type(problem).__name__}")
    return {"files": len(csv_files(raw)), "not_read": failed}


TASKS = {n: it for n, it in globals().items() if n.endswith(("_import", "_again", "_panel", "_england"))}

if __name__ == "__main__":
    hold_to_memory()
    program, task, raw, work = sys.argv[1:]
    began = time.perf_counter()
    found = TASKS[f"{program}_{task}"](Path(raw), Path(work))
    print(json.dumps({"answer": found, "wall": time.perf_counter() - began}))
