"""The synthetic secondaries from 2015 to 2025, and their key stage 4 tables before 2017 and after 2019."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, decimal_text, percent_text, pick, whole_text
from evalkit.data.synthetic.ks4 import Secondaries
from evalkit.data.synthetic.long_csv import write_columns
from evalkit.data.synthetic.public_codes import SPLIT

KS4_SUMMERS: Final = (2015, 2016, 2017, 2018, 2019, 2022, 2023, 2024, 2025)
WITH_PROGRESS: Final = (2016, 2017, 2018, 2019, 2022, 2023, 2024)
"""Summers with a Progress 8 score: none in 2025, whose pupils had not been tested at key stage 2."""
WIDE_SUMMERS: Final = (2015, 2016, 2022, 2023, 2024)
_LEVEL: Final = {2015: 48.0, 2016: 50.0, 2022: 48.8, 2023: 46.3, 2024: 45.9, 2025: 45.9}  # England's, Attainment 8
_PER_POINT: Final = 11.0  # of Attainment 8 in one of Progress 8
_SIGMA: Final = 1.27  # pupils' SD behind the limits
_YEAR_SD: Final = 0.20
_CONVERSIONS: Final = 30  # a year at full scale
_FEW: Final = 5
_CHANGES: Final = (2019, 2020, 2021, 2022, 2023, 2024)

_WHO: Final = (
    "RECTYPE LEA ESTAB URN SCHNAME SCHNAME_AC ADDRESS1 TOWN PCODE TELNUM PCON_CODE PCON_NAME CONTFLAG ICLOSE NFTYPE "
    "RELDENOM"
)
_KIND: Final = "EGENDER FEEDER TABKS2 TAB1618 AGERANGE"
_MADE_UP: Final = "TOTPUPS NUMBOYS NUMGIRLS TPUP BPUP GPUP KS2APS PTPRIORLO TFSM6CLA1A PTFSM6CLA1A"
_EIGHT: Final = (
    "ATT8SCR ATT8SCRENG ATT8SCRMAT P8PUP P8MEACOV P8MEA P8CILOW P8CIUPP P8MEA_ORIG P8MEAENG P8MEAENG_CILOW "
    "P8MEAENG_CIUPP PTL2BASICS_94 PTL2BASICS_95 EBACCAPS PTEBACC_E_PTQ_EE ATT8SCR_FSM6CLA1A ATT8SCR_NFSM6CLA1A "
    "P8MEA_FSM6CLA1A P8MEA_NFSM6CLA1A ATT8SCR_BOYS ATT8SCR_GIRLS"
)


def _late(year: int) -> list[str]:
    earlier = [f"{name}_{(year - back) % 100}" for back in (1, 2) for name in ("ATT8SCR", "P8MEA")]
    return [*_WHO.split(), "ADMPOL_PT", *_KIND.split(), *_MADE_UP.split(), *_EIGHT.split(), *earlier]


WIDE_HEADERS: Final[dict[int, list[str]]] = {
    2015: [
        *_WHO.split(), "ADMPOL", *_KIND.split(), "CONFEXAM", *_MADE_UP.split(), "PTAC5EM_PTQ_EE",
        "PTL2BASICS_LL_PTQ_EE", "PTEBACC_E_PTQ_EE", "PTEBACC_PTQ_EE",
        "B8VAMEA_PTQ_EE", "TAVENT_G_PTQ_EE", "TFSMCLA_14", "PTFSMCLA_14",
        "TFSMCLA_13", "PTFSMCLA_13",
    ],
    2016: [
        *_WHO.split(), "ADMPOL", *_KIND.split(), "CONFEXAM", *_MADE_UP.split(), "ATT8SCR", "ATT8SCRENG", "ATT8SCRMAT",
        "P8PUP", "P8MEACOV", "P8MEA", "P8CILOW", "P8CIUPP", "PTL2BASICS_LL_PTQ_EE", "PTEBACC_E_PTQ_EE",
        "ATT8SCR_FSM6CLA1A", "P8MEA_FSM6CLA1A", "ATT8SCR_15", "P8MEA_15",
    ],
    **{year: _late(year) for year in (2022, 2023, 2024)},
}  # fmt: skip
"""Columns as far as they are known: no untouched table of these years was at hand."""


@dataclass(frozen=True, eq=False)
class LaterSecondaries:
    """One entry a school as in `schools`, with every summer's pupils and progress by year."""

    schools: Secondaries
    switch: Ints  # last summer under the URN of 2019, 0 where it stays
    opened: Ints
    later_urn: Ints
    last: Ints
    pupils: dict[int, Ints]
    progress: dict[int, Floats]

    def __len__(self) -> int:
        """Return the number of schools."""
        return len(self.switch)

    @property
    def sort(self) -> str:
        """Which schools these are, as names of streams and phases have it."""
        return "secondary"

    @property
    def name(self) -> Text:
        """The name of each school."""
        return self.schools.name

    @property
    def fsm(self) -> Floats:
        """Per cent of pupils eligible for free meals."""
        return self.schools.fsm

    @property
    def is_special(self) -> Bools:
        """Special schools."""
        return np.asarray(self.schools.sort == "special")

    @property
    def is_state_funded(self) -> Bools:
        """State-funded schools: all but the independent ones."""
        return np.asarray(self.schools.sort != "independent")

    @property
    def roll(self) -> Ints:
        """Pupils of all ages, about."""
        return 5 * self.pupils[max(self.pupils)]

    def estab(self, year: int) -> Ints:
        """Return the establishment number in a summer, which never changes."""
        return self.schools.estab

    def code(self, year: int) -> Ints:
        """Return each school's authority code in a summer."""
        found = self.schools.areas.code[self.schools.area]
        half = np.arange(len(found)) % 2
        for old, (first, new) in SPLIT.items():
            if year >= first:
                found = np.where(found == old, np.array(new)[half], found)
        return np.asarray(found)

    def urn(self, year: int) -> Ints:
        """Return the URN that holds each school's results of a summer."""
        return np.where((self.switch > 0) & (year > self.switch), self.later_urn, self.schools.urn_in(year))

    def kind(self, year: int) -> Text:
        """Return the type code beside it."""
        kinds = {"mainstream": "CY", "special": "CYS", "independent": "IND"}
        kind = np.array([kinds[sort] for sort in self.schools.sort.tolist()], dtype=object)
        early = (self.schools.switch > 0) & (year > self.schools.switch)
        return pick(early | ((self.switch > 0) & (year > self.switch)), "ACC", kind)

    def is_open(self, year: int) -> Bools:
        """Return whether each school is open in a summer."""
        return np.asarray(year <= self.last)

    def attainment(self, year: int) -> Floats:
        """Return each school's average Attainment 8 score of a summer."""
        prior = self.key_stage_2(year) - 28.4
        return np.clip(_LEVEL.get(year, 46.0) + _PER_POINT * self.progress[year] + 1.6 * prior, 0.0, 90.0)

    def key_stage_2(self, year: int) -> Floats:
        """Return each school's average points at key stage 2 of those who are examined in a summer."""
        wobble = 0.1 * ((np.arange(len(self)) + year) % 5 - 2)
        return np.asarray(28.4 - 0.06 * (self.schools.fsm - 26) - 8.0 * (self.schools.sort == "special") + wobble)


def draw_later_secondaries(seed: int, schools: Secondaries, scale: float) -> LaterSecondaries:
    """Return the secondaries of nine summers: those of 2017 to 2019 as they were drawn, the others around them."""
    rng, count = stream(seed, "later-ks4"), len(schools.area)
    lasting = schools.progress.mean(axis=1)
    size = schools.pupils.mean(axis=1)
    pupils, progress = {}, {}
    for year in KS4_SUMMERS:
        noise, cohort = rng.normal(0.0, _YEAR_SD, count), rng.normal(0.0, 3.0, count)
        known = 2017 <= year <= 2019
        progress[year] = schools.progress[:, year - 2017] if known else 0.9 * lasting + noise
        drawn = np.maximum(2, np.rint(size + cohort)).astype(np.int64)
        pupils[year] = schools.pupils[:, year - 2017] if known else drawn
    progress[2016] = schools.progress_2016
    switch, opened = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    free = rng.permutation(np.flatnonzero((schools.sort == "mainstream") & (schools.switch == 0))).tolist()
    for year in _CHANGES:
        for _ in range(min(max(1, round(_CONVERSIONS * scale)), len(free))):
            school = free.pop()
            switch[school], opened[school] = year, year * 10_000 + 901
    last = np.full(count, 2025)
    last[free[: max(1, round(8 * scale))]] = 2022
    return LaterSecondaries(
        schools=schools, switch=switch, opened=opened,
        later_urn=np.where(switch > 0, 850_000 + np.cumsum(switch > 0), 0), last=last, pupils=pupils, progress=progress,
    )  # fmt: skip


def write_wide_ks4(folder: Path, later: LaterSecondaries) -> None:
    """Write the key stage 4 tables of 2014/15, 2015/16 and 2021/22 to 2023/24."""
    for year in WIDE_SUMMERS:
        header = WIDE_HEADERS[year]
        at = np.flatnonzero(later.is_open(year))
        whole = _who(later, year) | _results(later, year)
        rows = {name: whole.get(name, constant("NA", len(later)))[at] for name in header}
        totals = _totals(later, year, at)
        joined = {name: np.concatenate([rows[name], [one.get(name, "") for one in totals]]) for name in header}
        path = folder / "performance-tables" / "ks4" / f"{year - 1}-{year}_england_ks4final.csv"
        write_columns(path, joined, bom=True, crlf=True)


def _who(later: LaterSecondaries, year: int) -> dict[str, Text]:
    """Return who each row is about, and its pupils."""
    count, schools = len(later), later.schools
    pupils = later.pupils[year]
    boys = np.rint(pupils * 0.5).astype(np.int64)
    is_main = schools.sort == "mainstream"
    fixed = {
        "SCHNAME_AC": "", "ADDRESS1": "1 Sample Street", "TOWN": "Madeville", "PCODE": "ZZ1 1ZZ",
        "TELNUM": "01632960001", "PCON_CODE": "E14999999", "PCON_NAME": "Synthetic Seat", "CONTFLAG": "0",
        "RELDENOM": "Does not apply", "EGENDER": "MIXED", "FEEDER": "0", "TABKS2": "0", "TAB1618": "0",
        "AGERANGE": "11-16", "CONFEXAM": "",
    }  # fmt: skip
    return {name: constant(text, count) for name, text in fixed.items()} | {
        "RECTYPE": np.where(schools.sort == "special", "2", "1").astype(object),
        "LEA": whole_text(later.code(year)),
        "ESTAB": whole_text(schools.estab),
        "URN": whole_text(later.urn(year)),
        "SCHNAME": schools.name,
        "ICLOSE": np.where(later.last == year, "1", "0").astype(object),
        "NFTYPE": later.kind(year),
        "ADMPOL": np.where(is_main, "COMP", "NA").astype(object),
        "ADMPOL_PT": np.where(is_main, "OTHER NON SEL", "NA").astype(object),
        "TOTPUPS": whole_text(5 * pupils),
        "NUMBOYS": whole_text(5 * boys),
        "NUMGIRLS": whole_text(5 * (pupils - boys)),
        "TPUP": whole_text(pupils),
        "BPUP": whole_text(boys),
        "GPUP": whole_text(pupils - boys),
    }


def _results(later: LaterSecondaries, year: int) -> dict[str, Text]:
    """Return the result columns with NP, NE, SUPP and LOWCOV where they would stand; NA where the year has none."""
    schools, pupils = later.schools, later.pupils[year]
    attainment = later.attainment(year)
    prior_based = {
        "KS2APS": decimal_text(later.key_stage_2(year), 1),
        "PTPRIORLO": percent_text(np.clip(0.13 - 0.05 * (later.key_stage_2(year) - 28.4), 0, 1)),
        "TFSM6CLA1A": whole_text(np.rint(pupils * schools.fsm / 100).astype(np.int64)),
        "PTFSM6CLA1A": percent_text(schools.fsm / 100),
    }
    scores = {
        "ATT8SCR": attainment, "ATT8SCRENG": attainment * 0.214, "ATT8SCRMAT": attainment * 0.198,
        "ATT8SCR_FSM6CLA1A": attainment - 9.0, "ATT8SCR_NFSM6CLA1A": attainment + 2.0, "ATT8SCR_BOYS": attainment - 2.5,
        "ATT8SCR_GIRLS": attainment + 2.5,
    }  # fmt: skip
    scores |= {
        f"ATT8SCR_{earlier % 100}": later.attainment(earlier)
        for earlier in (year - 1, year - 2)
        if earlier in later.progress and earlier >= 2015
    }
    every = {name: decimal_text(np.clip(values, 0.0, 90.0), 1) for name, values in scores.items()}
    bars = {"PTL2BASICS_94": 41.0, "PTL2BASICS_95": 49.0, "PTEBACC_E_PTQ_EE": 51.0, "PTAC5EM_PTQ_EE": 45.0,
            "PTL2BASICS_LL_PTQ_EE": 43.0, "PTEBACC_PTQ_EE": 57.0}  # fmt: skip
    every |= {name: percent_text(1 / (1 + np.exp(-(attainment - bar) / 8.5))) for name, bar in bars.items()}
    every |= {"EBACCAPS": decimal_text(attainment * 0.087, 2), "TAVENT_G_PTQ_EE": decimal_text(attainment * 0.17, 1)}
    coded = _with_codes(schools, pupils, prior_based, private="NP", entered=False)
    coded |= _with_codes(schools, pupils, every, private=None, entered=True)
    return coded | _progress_cells(later, year)


def _progress_cells(later: LaterSecondaries, year: int) -> dict[str, Text]:
    """Return the Progress 8 columns, and those of earlier years; none where the year has no such score."""
    schools, pupils = later.schools, later.pupils[year]
    covered = np.where(np.arange(len(later)) % 331 == 7, 0.4, 0.95)
    included = np.maximum(1, np.rint(covered * pupils)).astype(np.int64)
    half = 1.96 * _SIGMA / np.sqrt(included)
    values: dict[str, Floats] = {}
    if year in WITH_PROGRESS:
        score = later.progress[year]
        values = {
            "P8MEA": score, "P8CILOW": score - half, "P8CIUPP": score + half, "P8MEA_ORIG": score,
            "P8MEAENG": 1.05 * score, "P8MEAENG_CILOW": 1.05 * score - 1.25 * half,
            "P8MEAENG_CIUPP": 1.05 * score + 1.25 * half, "P8MEA_FSM6CLA1A": score - 0.4,
            "P8MEA_NFSM6CLA1A": score + 0.1,
        }  # fmt: skip
    earlier = {f"P8MEA_{y % 100}": later.progress[y] for y in (year - 1, year - 2) if y in WITH_PROGRESS}
    eight = {name: decimal_text(numbers, 2) for name, numbers in (values | earlier).items()}
    eight = {name: pick(covered < 0.5, "LOWCOV", text) for name, text in eight.items()}
    if values:
        eight |= {"P8PUP": whole_text(included), "P8MEACOV": percent_text(covered)}
    return _with_codes(schools, pupils, eight, private="NP", entered=True)


def _with_codes(
    schools: Secondaries, pupils: Ints, cells: dict[str, Text], *, private: str | None, entered: bool
) -> dict[str, Text]:
    """Put NE where a special school entered nobody, SUPP up to five pupils, and NP for independent schools."""
    nobody = (schools.sort == "special") & (np.arange(len(pupils)) % 5 < 2) & entered
    coded = {name: pick(pupils <= _FEW, "SUPP", pick(nobody, "NE", text)) for name, text in cells.items()}
    if private is None:
        return coded
    return {name: pick(schools.sort == "independent", private, text) for name, text in coded.items()}


def _totals(later: LaterSecondaries, year: int, at: Ints) -> list[dict[str, str]]:
    """Return the authorities' rows (4), the country's (5: all schools) and (7: state-funded)."""
    code, state = later.code(year), later.schools.sort != "independent"
    is_there = np.zeros(len(later), dtype=bool)
    is_there[at] = True
    rows = [
        {"RECTYPE": "4", "LEA": str(authority)} | _total(later, year, is_there & state & (code == authority))
        for authority in np.unique(code[is_there & state]).tolist()
    ]
    country = {"RECTYPE": "5"} | _total(later, year, is_there)
    return [*rows, country, {"RECTYPE": "7"} | _total(later, year, is_there & state)]


def _total(later: LaterSecondaries, year: int, chosen: Bools) -> dict[str, str]:
    """Return one aggregate row: pupil-weighted means of what a year has."""
    weight, total = np.where(chosen, later.pupils[year], 0), int(later.pupils[year][chosen].sum())
    cells = {"TOTPUPS": str(5 * total), "TPUP": str(total)}
    if year >= 2016:
        cells["ATT8SCR"] = decimal_text(np.array([weight @ later.attainment(year) / total]), 1)[0]
    if year in WITH_PROGRESS:
        cells["P8MEA"] = decimal_text(np.array([weight @ later.progress[year] / total]), 2)[0]
    return cells
