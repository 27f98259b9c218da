"""The synthetic secondaries and their key stage 4 tables. No programme effect is added to them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import (
    Text,
    constant,
    csv_lines,
    decimal_text,
    percent_text,
    pick,
    whole_text,
    write_performance_table,
)
from evalkit.data.synthetic.geography import TREATED_CODE, Areas

KS4_FILES = {2017: "2016-2017", 2018: "2017-2018", 2019: "2018-2019"}
_COUNTS = {"mainstream": 3400, "special": 400, "independent": 400}
_TREATED_SECONDARIES = 6
_CONVERSIONS_PER_YEAR = 60
SIGMA_P8 = {2017: 1.23, 2018: 1.26, 2019: 1.28}  # pupil-level SD behind the published limits, two counties
# Progress 8 between schools: SD .43 and year-to-year correlation .71 to .80 (England panel); area share assumed.
_AREA_SD, _LASTING_SD, _YEAR_SD = 0.15, 0.35, 0.20

_WHO = "ADDRESS1 ADDRESS2 ADDRESS3 TOWN PCODE TELNUM"
_KIND = "FEEDER TABKS2 TAB1618 AGERANGE CONFEXAM TOTPUPS"
_RESULTS = (
    "TPUP KS2APS PTPRIORLO TFSM6CLA1A PTFSM6CLA1A ATT8SCR ATT8SCRENG P8PUP P8MEACOV P8MEA P8CILOW P8CIUPP P8MEA_ORIG "
    "P8MEAENG P8MEAENG_CILOW P8MEAENG_CIUPP PTL2BASICS_94 PTL2BASICS_95 EBACCAPS PTEBACC_E_PTQ_EE ATT8SCR_FSM6CLA1A "
    "P8MEA_FSM6CLA1A P8MEA_NFSM6CLA1A"
)
_BEGIN = f"RECTYPE ALPHAIND LEA ESTAB URN SCHNAME SCHNAME_AC {_WHO} CONTFLAG ICLOSE NFTYPE RELDENOM ADMPOL".split()
KS4_HEADERS: dict[int, list[str]] = {
    2017: [
        *_BEGIN, "ADMPOL_2017", "EGENDER", *_KIND.split(),
        *(name for name in _RESULTS.split() if name not in ("P8MEA_ORIG", "EBACCAPS")), "P8MEA_16",
    ],
    2018: [*_BEGIN, "ADMPOL_2017", "EGENDER", *_KIND.split(), *_RESULTS.split()],
    2019: [
        "RECTYPE", *_BEGIN[2:13], "PCON_CODE", "PCON_NAME", *_BEGIN[13:], "ADMPOL_PT", "EGENDER", *_KIND.split(),
        *_RESULTS.split(),
    ],
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Secondaries:
    """One entry a school; years are 2017 to 2019."""

    areas: Areas
    area: Ints
    sort: Text  # mainstream, special, independent
    urn: Ints
    new_urn: Ints  # 0 where it never changes
    switch: Ints  # last summer under `urn`
    estab: Ints
    pupils: Ints  # (n, 3)
    progress: Floats  # (n, 3)
    progress_2016: Floats
    fsm: Floats
    name: Text

    def urn_in(self, year: int) -> Ints:
        """Return the URN that holds each school's results of `year`."""
        return np.where((self.switch > 0) & (year > self.switch), self.new_urn, self.urn)


def draw_secondaries(seed: int, areas: Areas, scale: float) -> Secondaries:
    """Return the secondaries, six mainstream ones in the treated area, with about 60 conversions a year."""
    rng = stream(seed, "ks4")
    area, sort = _place(rng, areas, scale)
    count = len(area)
    mainstream, special = sort == "mainstream", sort == "special"
    lasting = rng.normal(0, _AREA_SD, len(areas.code))[area] + rng.normal(0, _LASTING_SD, count) - 1.3 * special
    base = np.where(mainstream, rng.normal(165.0, 50.0, count), rng.uniform(2.0, 40.0, count))
    size = np.maximum(base, 35.0 * mainstream)
    switch = np.zeros(count, dtype=np.int64)
    candidates = rng.permutation(np.flatnonzero(mainstream & (areas.code[area] != TREATED_CODE)))
    per_year = round(_CONVERSIONS_PER_YEAR * scale)
    for position, year in enumerate(KS4_FILES):
        switch[candidates[position * per_year : (position + 1) * per_year]] = year
    estab = np.where(mainstream, 4001, np.where(special, 7501, 6001)) + np.arange(count) % 400
    return Secondaries(
        areas=areas, area=area, sort=sort, urn=650_001 + np.arange(count),
        new_urn=np.where(switch > 0, 750_000 + np.cumsum(switch > 0), 0), switch=switch, estab=estab,
        pupils=np.maximum(2, np.rint(size[:, None] + rng.normal(0, 3, (count, 3)))).astype(np.int64),
        progress=lasting[:, None] + rng.normal(0, _YEAR_SD, (count, 3)),
        progress_2016=lasting + stream(seed, "ks4-2016").normal(0, _YEAR_SD, count),
        fsm=np.clip(areas.fsm[area] + rng.normal(0, 11, count) - 6 * lasting, 1, 80),
        name=np.array([f"Synthetic {label.title()} Secondary {i + 1}" for i, label in enumerate(sort)], dtype=object),
    )  # fmt: skip


def _place(rng: np.random.Generator, areas: Areas, scale: float) -> tuple[Ints, Text]:
    """Return each school's area and sort, in authority order."""
    share = areas.n_primaries / areas.n_primaries.sum()
    wanted = np.rint(share * _COUNTS["mainstream"] * scale).astype(np.int64)
    wanted[areas.treated] = _TREATED_SECONDARIES
    area, sort = [np.repeat(np.arange(len(share)), wanted)], ["mainstream"] * int(wanted.sum())
    for label in ("special", "independent"):
        drawn = rng.choice(len(share), size=max(12, round(_COUNTS[label] * scale)), p=share)
        area.append(drawn)
        sort += [label] * len(drawn)
    joined = np.concatenate(area)
    order = np.argsort(joined, kind="stable")
    return joined[order], np.array(sort, dtype=object)[order]


def write_ks4(folder: Path, schools: Secondaries) -> None:
    """Write the three key stage 4 tables."""
    for year, name in KS4_FILES.items():
        academies = np.flatnonzero(schools.switch == year)
        at = np.concatenate([np.arange(len(schools.area)), academies])
        is_new = np.arange(len(at)) >= len(schools.area)
        order = np.lexsort((is_new, at))
        at, is_new = at[order], is_new[order]
        columns = _who(schools, at, is_new, year)
        columns |= {column: text[at] for column, text in _results(schools, year).items()}
        ordered = {column: columns[column] for column in KS4_HEADERS[year]}
        lengths = np.where(is_new, KS4_HEADERS[year].index("TOTPUPS") + 1, len(ordered))
        lines = [*csv_lines(ordered, lengths), *_summary_rows(schools, year)]
        write_performance_table(folder / "performance-tables" / "ks4" / f"{name}_england_ks4final.csv", lines)


def _who(schools: Secondaries, at: Ints, is_new: Bools, year: int) -> dict[str, Text]:
    """Return the identity columns of each row."""
    count, sort = len(at), schools.sort[at]
    state = {"mainstream": "CY", "special": "CYS", "independent": "IND"}
    kind = np.array([state[label] for label in sort], dtype=object)
    academy = is_new | ((schools.switch[at] > 0) & (schools.switch[at] < year))
    flat = {name: constant("", count) for name in ("SCHNAME_AC", "ADDRESS2", "ADDRESS3")}
    flat |= {name: constant("0", count) for name in ("CONTFLAG", "FEEDER", "TABKS2", "TAB1618")}
    not_selective = pick(sort == "mainstream", "OTHER NON SEL", constant("NA", count))
    return flat | {
        "RECTYPE": pick(sort == "special", "2", constant("1", count)),
        "ALPHAIND": whole_text(2 * at + 11),
        "LEA": whole_text(schools.areas.code[schools.area[at]]),
        "ESTAB": whole_text(schools.estab[at]),
        "URN": whole_text(np.where(is_new, schools.new_urn[at], schools.urn_in(year)[at])),
        "SCHNAME": schools.name[at],
        "ADDRESS1": constant("1 Sample Street", count),
        "TOWN": constant("Madeville", count),
        "PCODE": constant("ZZ1 1ZZ", count),
        "TELNUM": constant("01632960001", count),
        "PCON_CODE": constant("E14999999", count),
        "PCON_NAME": constant("Synthetic Seat", count),
        "ICLOSE": pick((schools.switch[at] == year) & ~is_new, "1", constant("0", count)),
        "NFTYPE": pick(academy, "ACC", kind),
        "RELDENOM": constant("Does not apply", count),
        "ADMPOL": pick(sort == "mainstream", "COMP", constant("NA", count)),
        "ADMPOL_2017": not_selective,
        "ADMPOL_PT": not_selective,
        "EGENDER": constant("MIXED", count),
        "AGERANGE": constant("11-16", count),
        "CONFEXAM": pick(at % 4 == 1, "R", constant("", count)),
        "TOTPUPS": pick(is_new, "NEW", whole_text(5 * schools.pupils[:, year - 2017][at])),
    }


def _results(schools: Secondaries, year: int) -> dict[str, Text]:
    """Return the result columns, one entry a school, with NP, NE, SUPP and LOWCOV where they would stand."""
    at, count = year - 2017, len(schools.area)
    pupils, progress = schools.pupils[:, at], schools.progress[:, at]
    covered = np.where(np.arange(count) % 331 == 7, 0.4, 0.95)
    included = np.maximum(1, np.rint(covered * pupils))
    half_width = 1.96 * SIGMA_P8[year] / np.sqrt(included)
    prior = 28.4 - 0.06 * (schools.fsm - 26) - 8.0 * (schools.sort == "special")
    attainment = np.clip(46.0 + 11.0 * progress + 1.6 * (prior - 28.4), 0, 90)
    prior_based = {
        "KS2APS": decimal_text(prior, 1),
        "PTPRIORLO": percent_text(np.clip(0.13 - 0.05 * (prior - 28.4), 0, 1)),
        "TFSM6CLA1A": whole_text(np.rint(pupils * schools.fsm / 100).astype(np.int64)),
        "PTFSM6CLA1A": percent_text(schools.fsm / 100),
    }
    every = {
        "ATT8SCR": decimal_text(attainment, 1),
        "ATT8SCRENG": decimal_text(attainment * 0.214, 1),
        "PTL2BASICS_94": percent_text(1 / (1 + np.exp(-(attainment - 41.0) / 8))),
        "PTL2BASICS_95": percent_text(1 / (1 + np.exp(-(attainment - 49.0) / 8))),
        "EBACCAPS": decimal_text(attainment * 0.087, 2),
        "PTEBACC_E_PTQ_EE": percent_text(1 / (1 + np.exp(-(attainment - 51.0) / 9))),
        "ATT8SCR_FSM6CLA1A": decimal_text(np.clip(attainment - 9, 0, 90), 1),
    }
    scores = {
        "P8MEA": progress, "P8CILOW": progress - half_width, "P8CIUPP": progress + half_width, "P8MEA_ORIG": progress,
        "P8MEAENG": progress * 1.05, "P8MEAENG_CILOW": progress * 1.05 - 1.25 * half_width,
        "P8MEAENG_CIUPP": progress * 1.05 + 1.25 * half_width, "P8MEA_FSM6CLA1A": progress - 0.4,
        "P8MEA_NFSM6CLA1A": progress + 0.1, "P8MEA_16": schools.progress_2016,
    }  # fmt: skip
    eight = {name: decimal_text(values, 2) for name, values in scores.items()}
    eight = {name: pick(covered < 0.5, "LOWCOV", text) for name, text in eight.items()}
    eight |= {"P8PUP": whole_text(included.astype(np.int64)), "P8MEACOV": percent_text(covered)}
    coded = _with_codes(schools, pupils, prior_based, private="NP", entered=False)
    coded |= _with_codes(schools, pupils, every, private=None, entered=True)
    coded |= _with_codes(schools, pupils, eight, private="NP", entered=True)
    return {"TPUP": whole_text(pupils), **coded}


def _with_codes(
    schools: Secondaries, pupils: Ints, cells: dict[str, Text], *, private: str | None, entered: bool
) -> dict[str, Text]:
    """Put NE where a special school entered nobody, SUPP up to five pupils, and NP for independent schools."""
    nobody = (schools.sort == "special") & (np.arange(len(pupils)) % 5 < 2) & entered
    coded = {name: pick(pupils <= 5, "SUPP", pick(nobody, "NE", text)) for name, text in cells.items()}
    if private is None:
        return coded
    return {name: pick(schools.sort == "independent", private, text) for name, text in coded.items()}


def _summary_rows(schools: Secondaries, year: int) -> list[str]:
    """Return the authorities' rows (4), the country's (5: all) and (7: state-funded); a percentage has two decimals."""
    state = schools.sort != "independent"
    code = schools.areas.code[schools.area]
    rows = [
        _summary_row({"RECTYPE": "4", "LEA": str(authority)}, state & (code == authority), schools, year)
        for authority in np.unique(code[state]).tolist()
    ]
    everyone = np.ones(len(state), dtype=bool)
    country = _summary_row({"RECTYPE": "5"}, everyone, schools, year)
    return [*rows, country, _summary_row({"RECTYPE": "7"}, state, schools, year)]


def _summary_row(cells: dict[str, str], chosen: Bools, schools: Secondaries, year: int) -> str:
    """Return one aggregate row: pupil-weighted means, blank where a cell has no meaning."""
    weight = np.where(chosen, schools.pupils[:, year - 2017], 0)
    total = int(weight.sum())
    progress = float(weight @ schools.progress[:, year - 2017] / total)
    cells = cells | {"TOTPUPS": str(5 * total), "TPUP": str(total), "ATT8SCR": f"{46.0 + 11.0 * progress:.1f}"}
    disadvantaged = 100 * float(weight @ schools.fsm / total / 100)
    if cells["RECTYPE"] != "5":
        cells["P8MEA"] = decimal_text(np.array([progress]), 2)[0]
        cells["PTFSM6CLA1A"] = f"{disadvantaged:.2f}%" if year < 2019 else f"{disadvantaged:.0f}%"
    return ",".join(cells.get(name, "") for name in KS4_HEADERS[year])
