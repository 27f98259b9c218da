"""The tables and the calls whose outputs `keep_outputs.py` keeps: words of the command line, each under a name.

Every table is drawn from a seed. A call under `refused` is one that ends with exit code 2; every other ends with 0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

YEARS = range(2012, 2020)
SEED = 20180201


def starts(table: pd.DataFrame, first: list[int | None], per_unit: int) -> pd.DataFrame:
    """Return a table with each unit's first treated year and an effect of 1.5 from then on."""
    table["first"] = pd.array([year for year in first for _ in range(per_unit)], dtype="Int64")
    table["score"] = (table["score"] + 1.5 * (table["year"] >= table["first"]).fillna(False).astype(float)).round(3)
    return table


def panel(n: int, n_areas: int, cohorts: tuple[int | None, ...], *, by_area: bool, key: int) -> pd.DataFrame:
    """Return n schools in eight years, whose start goes by the school or by its area."""
    random = np.random.default_rng([SEED, key])
    area = [at % n_areas for at in range(n)]
    fsm, t = random.uniform(5, 40, n).round(1), len(YEARS)
    noise = np.repeat(random.normal(50, 2, n), t) + random.normal(size=n * t)
    table = pd.DataFrame(
        {
            "school": np.repeat([f"{at:04d}" for at in range(n)], t),
            "year": np.tile(list(YEARS), n),
            "score": noise + np.repeat(0.02 * fsm, t) * np.tile(np.arange(t), n),
            "fsm": np.repeat(fsm, t),
            "pupils": np.repeat(random.integers(20, 90, n), t),
            "area": np.repeat([f"A{at:02d}" for at in area], t),
        }
    )
    order = area if by_area else [at // n_areas + at for at in range(n)]
    return starts(table, [cohorts[at % len(cohorts)] for at in order], t)


def pupils() -> pd.DataFrame:
    """Return other pupils of thirty schools in each year."""
    random, t = np.random.default_rng([SEED, 9]), len(YEARS)
    n = 30 * t * 6
    school = np.repeat(np.arange(30), t * 6)
    table = pd.DataFrame(
        {
            "pupil": [f"P{at:05d}" for at in range(n)],
            "school": [f"S{at:02d}" for at in school],
            "year": np.tile(np.repeat(list(YEARS), 6), 30),
            "score": 100 + np.repeat(random.normal(0, 2, 30), t * 6) + random.normal(0, 5, n),
            "fsm": random.integers(0, 2, n),
        }
    )
    return starts(table, [[2015, 2017, None][at % 3] for at in range(30)], t * 6)


def schools() -> pd.DataFrame:
    """Return 160 schools of which forty took part, those lower before more often."""
    random, n = np.random.default_rng([SEED, 2]), 160
    before, fsm = random.normal(100, 4, n).round(1), random.uniform(5, 40, n).round(1)
    rank = pd.Series(before - 0.1 * fsm + random.normal(0, 6, n)).rank()
    joined = (rank <= 40).astype(int)
    frame = {
        "school": [f"{100_000 + at}" for at in range(n)],
        "joined": joined,
        "earlier": (before + random.normal(0, 2, n)).round(1),
        "before": before,
        "fsm": fsm,
        "pupils": random.integers(3, 90, n),
        "grade": random.integers(1, 4, n),
        "region": [["North", "South", "West"][at % 3] for at in range(n)],
        "area": [f"A{at % 16:02d}" for at in range(n)],
        "score": (before + 1.5 * joined - 0.05 * fsm + random.normal(size=n)).round(2),
    }
    return pd.DataFrame(frame)


def areas() -> pd.DataFrame:
    """Return twenty areas in sixteen years, of which A00 and A01 gain 3 from 2016 on."""
    random, n, years = np.random.default_rng([SEED, 3]), 20, np.arange(2004, 2020)
    shared = random.normal(size=(n, 2)) @ (0.4 * random.normal(size=(len(years), 2))).cumsum(axis=0).T
    score = 60 + random.normal(size=(n, 1)) + shared + 0.3 * random.normal(size=shared.shape)
    score[:2, years >= 2016] += 3
    ids = np.repeat([f"A{at:02d}" for at in range(n)], len(years))
    return pd.DataFrame({"area": ids, "year": np.tile(years, n), "score": score.ravel().round(3)})


def write_tables(folder: Path, golden: Path) -> None:
    """Write every table that a call reads; of reference tables those whose cohort 0 stands for never treated."""
    folder.mkdir()
    for path in (golden / "did" / "mpdta.csv", golden / "did" / "mpdta_unbalanced.csv"):
        if path.exists():
            table = pd.read_csv(path, dtype=str)
            table["first.treat"] = table["first.treat"].replace("0", "")
            table.to_csv(folder / path.name, index=False)
    did = panel(66, 12, (2015, 2017, None), by_area=False, key=1)
    area, school = areas(), schools()
    tables = {
        "did": did,
        "gaps": did.drop(index=range(5, len(did), 23)),
        "areas-start": panel(60, 20, (2015, 2017, None, None), by_area=True, key=4),
        "few": panel(48, 6, (2016, None, None), by_area=True, key=5),
        "one-area": panel(72, 24, (2016, *[None] * 23), by_area=True, key=6),
        "one-cohort": panel(40, 10, (2016, None), by_area=False, key=7),
        "pupils": pupils(),
        "match": school,
        "synth": area,
        "wide": area.pivot(index="area", columns="year", values="score").reset_index(),
        "twice": pd.concat([did, did.iloc[:1]]),
        "text": did.assign(score=["many", *did["score"].astype(str).tolist()[1:]]),
        "gaps-match": school.assign(fsm=school["fsm"].where(school.index % 7 != 3)),
        "half-joined": school.assign(joined=[0.5, *school["joined"].tolist()[1:]]),
        "no-before": school.assign(before=school["before"].where(school.index > 0)),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "table.txt").write_text("school before fsm\n", encoding="utf-8")
    did.to_parquet(folder / "did.parquet")
    school.to_parquet(folder / "match.parquet")


DID = "--unit school --period year --outcome score --cohort first --json"
PEOPLE = "--unit pupil --period year --outcome score --cohort first --json --repeated-cross-sections --cluster school"
MATCH = "--treated joined --id school --json --out out.csv --on"
ON = f"{MATCH} before,fsm,region"
EFFECT = f"{ON} --outcome score"
SYNTH = "--unit area --period year --outcome score --start 2016 --json --treated"
SIMILAR = "--id school --json --on before,fsm"
MPDTA = "--unit countyreal --period year --outcome lemp --cohort first.treat --json"
LALONDE = "--treated treat --id id --outcome re78 --json --out out.csv --on age,educ,race,married,nodegree,re74,re75"
ENGLAND = (
    "--treated treat --id urn --outcome ks2_2019 --json --out out.csv "
    "--on n_pupils,pct_fsm,pct_eal,pct_sen,idaci,ofsted,ks2_2016,ks2_2017"
)

CALLS = {
    "did/group-time": f"did tables/did.csv {DID}",
    "did/parquet": f"did tables/did.parquet {DID}",
    "did/dr": f"did tables/did.csv {DID} --method dr --covariates fsm",
    "did/ipw": f"did tables/did.csv {DID} --method ipw --covariates fsm",
    "did/reg": f"did tables/did.csv {DID} --method reg --covariates fsm --weights pupils",
    "did/not-yet": f"did tables/did.csv {DID} --comparison not-yet --base-period universal",
    "did/anticipation": f"did tables/did.csv {DID} --anticipation 1 --balanced-until 1",
    "did/bootstrap": f"did tables/did.csv {DID} --bootstrap 199 --seed 4 --level 0.9",
    "did/bootstrap-clusters": f"did tables/areas-start.csv {DID} --bootstrap 99 --draw clusters --cluster area",
    "did/cluster": f"did tables/areas-start.csv {DID} --cluster area --covariates fsm",
    "did/few-clusters": f"did tables/few.csv {DID} --cluster area",
    "did/one-cluster": f"did tables/one-area.csv {DID} --cluster area",
    "did/people": f"did tables/did.csv {DID} --people",
    "did/sections": f"did tables/pupils.csv {PEOPLE}",
    "did/sections-people": f"did tables/pupils.csv {PEOPLE} --people --covariates fsm",
    "did/gaps-pairs": f"did tables/gaps.csv {DID} --unbalanced pairs",
    "did/gaps-complete": f"did tables/gaps.csv {DID} --unbalanced complete",
    "did/gaps-levels": f"did tables/gaps.csv {DID} --unbalanced levels",
    "did/imputation": f"did tables/did.csv {DID} --estimator imputation",
    "did/sun-abraham": f"did tables/did.csv {DID} --estimator sun-abraham",
    "did/extended": f"did tables/did.csv {DID} --estimator extended --covariates fsm",
    "did/two-stage": f"did tables/did.csv {DID} --estimator two-stage",
    "did/twfe": f"did tables/did.csv {DID} --estimator twfe",
    "did/twfe-one-cohort": f"did tables/one-cohort.csv {DID} --estimator twfe",
    "did/twfe-few": f"did tables/few.csv {DID} --estimator twfe --cluster area",
    "did/twfe-one-cluster": f"did tables/one-area.csv {DID} --estimator twfe --cluster area",
    "did/all": f"did tables/did.csv {DID} --estimator all",
    "did/all-clusters": f"did tables/areas-start.csv {DID} --estimator all --cluster area --weights pupils",
    "match/nearest": f"match tables/match.csv {EFFECT}",
    "match/parquet": f"match tables/match.parquet {EFFECT}",
    "match/nearest-no-outcome": f"match tables/match.csv {ON} --ratio 2 --order closest",
    "match/nearest-caliper": f"match tables/match.csv {EFFECT} --caliper 0.25 --caliper-on fsm=9units --exact region",
    "match/nearest-replace": f"match tables/match.csv {EFFECT} --replace --ratio 3 --errors abadie-imbens",
    "match/nearest-cluster": f"match tables/match.csv {EFFECT} --cluster area --adjust before --anti-exact area",
    "match/few-clusters": f"match tables/match.csv {EFFECT} --cluster region --exact region",
    "match/nearest-people": f"match tables/match.csv {EFFECT} --people --common-support both",
    "match/nearest-earlier": f"match tables/match.csv {EFFECT} --earlier earlier,before --errors bootstrap --seed 3",
    "match/nearest-probit": f"match tables/match.csv {EFFECT} --distance probit --reuse 2 --ratio 2",
    "match/nearest-mahalanobis": f"match tables/match.csv {EFFECT} --distance mahalanobis --within-first region",
    "match/nearest-inside": f"match tables/match.csv {EFFECT} --mahalanobis-on before,fsm --caliper 0.5 --order id",
    "match/optimal": f"match tables/match.csv {EFFECT} --method optimal --ratio 2",
    "match/optimal-no-outcome": f"match tables/match.csv {ON} --method optimal --distance robust-mahalanobis",
    "match/full": f"match tables/match.csv {EFFECT} --method full --estimand ATE",
    "match/exact": f"match tables/match.csv {MATCH} region,grade --categories grade --method exact --outcome score",
    "match/cem": f"match tables/match.csv {EFFECT} --method cem --cutpoints before=4 --cutpoints fsm=15:25",
    "match/cem-one-to-one": f"match tables/match.csv {EFFECT} --method cem --cutpoints before=3 --one-to-one",
    "match/subclass": f"match tables/match.csv {EFFECT} --method subclass --subclasses 5 --estimand ATE",
    "match/profile": f"match tables/match.csv {EFFECT} --method profile --tolerance 0.1",
    "match/entropy": f"match tables/match.csv {EFFECT} --method entropy --moments 2 --cluster area",
    "match/entropy-no-outcome": f"match tables/match.csv {ON} --method entropy",
    "match/ipw": f"match tables/match.csv {EFFECT} --method ipw --trim 0.05 --errors m-estimation",
    "match/cbps": f"match tables/match.csv {EFFECT} --method cbps --adjust fsm",
    "match/missing": f"match tables/gaps-match.csv {EFFECT} --missing category --errors HC3",
    "synth/sc": f"synth tables/synth.csv {SYNTH} A00 --exclude A01",
    "synth/augmented": f"synth tables/synth.csv {SYNTH} A00 --exclude A01 --method augmented --level 0.9",
    "synth/sdid": f"synth tables/synth.csv {SYNTH} A00 --exclude A01 A05 --method sdid --seed 5",
    "synth/two-areas": f"synth tables/synth.csv {SYNTH} A00 A01",
    "synth/two-areas-sdid": f"synth tables/synth.csv {SYNTH} A00 A01 --method sdid",
    "similar/one": f"similar tables/match.csv {SIMILAR} --for 100003 --n 10 --out out.csv",
    "similar/filtered": (
        f"similar tables/match.csv {SIMILAR},pupils,grade --for 100003 --same region --not-same area --show area,score "
        "--weight before=2 --categories grade --pupils pupils --sd-within-same --out out.csv"
    ),
    "similar/every": f"similar tables/match.csv {SIMILAR} --n 3 --same region --out out.csv",
    "similar/areas": "similar tables/wide.csv --id area --on 2012,2013,2014,2015 --for A00 --json --out out.csv",
    "refused/no-file": f"did tables/none.csv {DID}",
    "refused/no-column": f"did tables/did.csv {DID} --covariates fsn",
    "refused/twice": f"did tables/twice.csv {DID}",
    "refused/text": f"did tables/text.csv {DID}",
    "refused/option": f"did tables/did.csv {DID} --estimator twfe --method ipw --covariates fsm",
    "refused/level": f"did tables/did.csv {DID} --level 95",
    "refused/estimator": f"did tables/did.csv {DID} --estimator bayes",
    "refused/half-joined": f"match tables/half-joined.csv {ON}",
    "refused/missing": f"match tables/no-before.csv {ON}",
    "refused/other-method": f"match tables/match.csv {EFFECT} --method entropy --subclasses 5",
    "refused/caliper": f"match tables/match.csv {EFFECT} --caliper-on age=1",
    "refused/start": f"synth tables/synth.csv {SYNTH} A00 --start 2031",
    "refused/area": f"synth tables/synth.csv {SYNTH} A99",
    "refused/unit": f"similar tables/match.csv {SIMILAR} --for 999999",
    "refused/project": "run knowsly-ssif --synthetic",
    "refused/table-format": f"similar tables/table.txt {SIMILAR}",
}

GOLDEN_CALLS = {
    **{
        f"did/mpdta-{estimator}": f"did tables/mpdta.csv {MPDTA} --estimator {estimator}"
        for estimator in ("imputation", "sun-abraham", "two-stage", "twfe")
    },
    **{
        f"did/mpdta-{estimator}": f"did tables/mpdta.csv {MPDTA} --covariates lpop --estimator {estimator}"
        for estimator in ("group-time", "extended")
    },
    "did/mpdta-all": f"did tables/mpdta.csv {MPDTA} --estimator all",
    "did/mpdta-gaps": f"did tables/mpdta_unbalanced.csv {MPDTA} --bootstrap 199",
    **{
        f"match/lalonde-{method}": f"match golden/matching/data/lalonde.csv {LALONDE} --method {method}"
        for method in ("nearest", "optimal", "full", "cem", "subclass", "entropy", "ipw", "cbps", "profile")
    },
    "match/england-nearest": f"match golden/matching/data/schools.csv {ENGLAND} --ratio 5 --exact region --cluster la",
    "match/england-entropy": f"match golden/matching/data/schools.csv {ENGLAND} --method entropy",
    "synth/california": (
        "synth golden/did/california_prop99.csv --unit State --period Year --outcome PacksPerCapita "
        "--treated California --start 1989 --json"
    ),
    "similar/england": (
        "similar golden/matching/data/schools.csv --id urn --on n_pupils,pct_fsm,idaci,ks2_2016 --same phase,region "
        "--for 100002 --json --out out.csv"
    ),
}
