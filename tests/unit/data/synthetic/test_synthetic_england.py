"""The synthetic England is the same bytes from the same seed, has the published files' quirks, and its own truth."""

import collections
import csv
import hashlib
import json
import re
import zipfile
from statistics import NormalDist

import numpy as np
import openpyxl
import pytest

from evalkit.data.synthetic import write_synthetic_england
from evalkit.data.synthetic.cells import decimal_text, percent_text
from evalkit.data.synthetic.ks2 import KS2_HEADERS
from evalkit.data.synthetic.ks4 import KS4_HEADERS

YEARS = {2017: "2016-2017", 2018: "2017-2018", 2019: "2018-2019"}


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table_path(folder, year, stage="ks2"):
    return folder / "performance-tables" / stage / f"{YEARS[year]}_england_{stage}final.csv"


def rows_of(folder, year, stage="ks2"):
    """Rows as dictionaries of the cells that are there, with their number under 'cells'."""
    with table_path(folder, year, stage).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    return [dict(zip(header, row, strict=False)) | {"cells": len(row)} for row in rows]


@pytest.fixture(scope="module")
def ks2(synthetic_england):
    return {year: rows_of(synthetic_england, year) for year in YEARS}


@pytest.fixture(scope="module")
def links(synthetic_england):
    path = synthetic_england / "gias" / "links_edubasealldata_2022.csv"
    with path.open(encoding="cp1252", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    write_synthetic_england(folder, seed=7, scale=0.06)
    return folder


def test_same_seed_same_bytes(small, tmp_path):
    write_synthetic_england(tmp_path / "elsewhere", seed=7, scale=0.06)
    assert digests(tmp_path / "elsewhere") == digests(small)


def test_no_file_holds_the_time_it_was_written(small):
    for path in (small / "lait").iterdir():
        with zipfile.ZipFile(path) as workbook:
            assert {entry.date_time for entry in workbook.infolist()} == {(2026, 1, 1, 0, 0, 0)}
            stamps = re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+Z?", workbook.read("docProps/core.xml"))
        assert stamps == [b"2026-01-01T00:00:00Z"] * 2  # created and modified
    packed = (small / "panel" / "ks2_school_covariates.csv.gz").read_bytes()
    assert packed[4:8] == bytes(4)  # the header's time of modification


def test_another_seed_gives_other_scores(small, tmp_path):
    write_synthetic_england(tmp_path, seed=8, scale=0.06)
    first, second = digests(small), digests(tmp_path)
    assert first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first)


def test_the_card_says_that_it_is_synthetic_and_what_is_true(small):
    card = json.loads((small / "SYNTHETIC.json").read_text(encoding="utf-8"))
    assert (card["kind"], card["seed"], card["treated_la"]) == ("synthetic", 7, 340)
    assert card["true_effects"] == {"READPROG": 0.9, "WRITPROG": 0.4, "MATPROG": 0.0}


def test_numbers_are_printed_as_published():
    # Half up: 0.05 to 0.1, -0.05 to 0.0 (never "-0.0"); one decimal kept in 2016/17, dropped where whole later.
    values = np.array([0.05, -0.05, 3.0, -2.46, 1.25])
    assert decimal_text(values, 1).tolist() == ["0.1", "0", "3", "-2.5", "1.3"]
    assert decimal_text(values, 1, keep_zeros=True).tolist() == ["0.1", "0.0", "3.0", "-2.5", "1.3"]
    assert percent_text(np.array([0.935, 0.0, 1.0])).tolist() == ["94%", "0%", "100%"]


@pytest.mark.parametrize("stage", ["ks2", "ks4"])
@pytest.mark.parametrize("year", YEARS)
def test_tables_have_the_mark_and_the_line_ends_of_the_published_ones(synthetic_england, stage, year):
    content = table_path(synthetic_england, year, stage).read_bytes()
    assert content.startswith(b"\xef\xbb\xbfRECTYPE,")
    assert content.count(b"\r\n") == content.count(b"\n") > 4000
    assert not content.endswith(b"\n")


@pytest.mark.parametrize(
    ("stage", "headers", "places"),
    [("ks2", KS2_HEADERS, {2017: 850, 2018: 850, 2019: 850}), ("ks4", KS4_HEADERS, {2017: 850, 2018: 850, 2019: 936})],
)
def test_columns_stand_in_the_order_of_the_real_tables(shared_data, stage, headers, places):
    for year, place in places.items():
        path = shared_data / "performance-tables" / stage / f"{YEARS[year]}_{place}_{stage}final.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            real = next(csv.reader(file))
        assert [name for name in real if name in headers[year]] == headers[year]


def test_england_has_its_schools_its_authorities_and_its_totals(ks2):
    for year, rows in ks2.items():
        kinds = collections.Counter(row["RECTYPE"] for row in rows)
        assert 16_500 < kinds["1"] + kinds["2"] < 17_300
        assert (kinds["4"], kinds["5"]) == (1, 1)
        assert 148 <= kinds["3"] <= 156
        assert [row["RECTYPE"] for row in rows[-2:]] == ["4", "5"]
        assert rows[-1]["LEA"] == " " == rows[-1]["READPROG"]
        treated = [row for row in rows if row["LEA"] == "340" and row["RECTYPE"] == "1" and row["cells"] > 30]
        assert 47 <= len(treated) <= 53, year
    assert any(row["SCHNAME"] == "Knowsley (synthetic)" for row in ks2[2019])


def test_every_code_is_there_in_its_place(ks2):
    for year, rows in ks2.items():
        codes = collections.Counter(row.get("READPROG") for row in rows)
        assert min(codes["SUPP"], codes["NA"], codes["LOWCOV"], codes[" "]) > 0, year
        assert 0.005 < sum(row.get("READPROG") == "SUPP" for row in rows if row["RECTYPE"] == "1") / 16_000 < 0.03
        for row in rows:
            if row["RECTYPE"] == "1" and row["cells"] > 30 and int(row["TELIG"]) <= 5:
                assert row["READPROG"] == row["PTRWM_EXP"] == row["BELIG"] == "SUPP"
    later = ks2[2019]
    assert any(row.get("READPROG_17") == "" for row in later)
    assert any(6 <= int(r["TELIG"]) <= 10 and r["READPROG"] == "SUPP" for r in later if r["cells"] > 30)


def test_new_schools_have_short_rows_that_end_after_the_roll(ks2):
    # The real rows end with TOTPUPS: 23 cells in 2016/17 and 2017/18, 25 in 2018/19 (two constituency columns more).
    for year, cells in ((2017, 23), (2018, 23), (2019, 25)):
        new = [row for row in ks2[year] if row["TOTPUPS"] == "NEW"]
        assert len(new) > 200
        assert {row["cells"] for row in new} == {cells}
        no_cohort = {row["cells"] for row in ks2[year] if row.get("TPUPYEAR") == "0"}
        assert no_cohort <= {cells + 1}
    full = len(KS2_HEADERS[2017])
    assert {full, full - 2} < {row["cells"] for row in ks2[2017]}  # trailing blanks are cut in the first file


def test_a_conversion_year_lists_the_old_school_and_the_new_academy(ks2):
    for year in YEARS:
        by_urn = {row["URN"]: row for row in ks2[year] if row["RECTYPE"] in "12"}
        closing = [row for row in by_urn.values() if row["URN_AC"] != "0"]
        assert 430 <= len(closing) <= 470
        listed = [row for row in closing if row["URN_AC"] in by_urn]
        assert len(listed) > 250
        for row in listed:
            academy = by_urn[row["URN_AC"]]
            assert academy["TOTPUPS"] == "NEW"
            assert "READPROG" not in academy
            assert row["READPROG"] != ""
            assert re.fullmatch(r"20(16|17|18|19)\d{4}", row["OPEN_AC"])


def test_prior_year_columns_carry_the_predecessors_score_onto_the_academy(ks2):
    before = {row["URN"]: row for row in ks2[2018] if row.get("URN_AC", "0").strip() not in ("", "0")}
    after = {row["URN"]: row for row in ks2[2019]}
    carried = [(old, after[old["URN_AC"]]) for old in before.values() if old["URN_AC"] in after]
    assert len(carried) > 400
    for old, new in carried:
        assert new["READPROG_18"] == old["READPROG"]
        assert new["TELIG_18"] == old["TELIG"]


def test_links_are_windows_1252_with_a_name_that_utf_8_cannot_read(synthetic_england, links):
    content = (synthetic_england / "gias" / "links_edubasealldata_2022.csv").read_bytes()
    assert b"\xe9" in content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert all(re.fullmatch(r"(\d\d-\d\d-\d{4})?", row["LinkEstablishedDate"]) for row in links)


def test_links_hold_chains_and_links_that_must_not_be_chained(links):
    kinds = collections.Counter(row["LinkType"] for row in links)
    assert kinds["Predecessor"] == kinds["Successor"] > 3000
    not_chained = ("Predecessor - merged", "Successor - amalgamated", "Successor - Split School")
    assert all(kinds[kind] > 0 for kind in not_chained)
    predecessors, successors = collections.defaultdict(set), collections.defaultdict(set)
    for row in links:
        if row["LinkType"] == "Predecessor":
            predecessors[row["URN"]].add(row["LinkURN"])
        if row["LinkType"] == "Successor":
            successors[row["URN"]].add(row["LinkURN"])
    several = [urn for urn, others in predecessors.items() if len(others) > 1]
    assert len(several) > 3  # two schools, both "Successor" to one
    chains = [
        urn
        for urn, others in predecessors.items()
        if len(others) == 1 and any(predecessors.get(other) for other in others)
    ]
    assert len(chains) > 50  # an academy whose predecessor was an academy that had one
    for urn, others in predecessors.items():
        assert all(urn in successors[other] for other in others)


def test_converters_keep_laestab_and_sponsored_academies_never(synthetic_england):
    path = synthetic_england / "gias" / "england_spine_2017-2018.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["URN"]: row for row in csv.DictReader(file)}
    new = [row for row in rows.values() if row["ISNEW"] == "1"]
    kept = collections.defaultdict(list)
    for row in new:
        kept[row["NFTYPE"]].append(row["LAESTAB"] == rows[row["OTHERURN"]]["LAESTAB"])
    # 95.2 %, of about 680: Monte Carlo error 0.8 points, so within three of them.
    assert np.mean(kept["Academy - Converter mainstream"]) == pytest.approx(0.952, abs=0.025)
    assert not any(kept["Academy sponsor led mainstream"])
    assert all(row["LAESTAB"] == str(int(row["LA"]) * 10_000 + int(row["ESTAB"])) for row in rows.values())


def test_a_dozen_schools_change_authority_between_2018_and_2019(ks2):
    codes = {year: {row["SCHNAME"]: row["LEA"] for row in ks2[year] if row["RECTYPE"] == "1"} for year in YEARS}
    moved = [(codes[2018][n], code) for n, code in codes[2019].items() if codes[2018].get(n, code) != code]
    assert len(moved) == 12
    assert {old for old, _ in moved} == {"835", "836", "837"}
    assert {new for _, new in moved} == {"838", "839"}
    sizes = collections.Counter(codes[2019].values())
    assert sum(1 for size in sizes.values() if size < 5) >= 3


def test_neighbour_lists_are_laid_out_as_published(synthetic_england):
    lists = {}
    for name in ("sn_april_2021", "sn_may_2025"):
        sheet = openpyxl.load_workbook(synthetic_england / "lait" / f"{name}.xlsx")["LA SN Groups"]
        rows = list(sheet.iter_rows(values_only=True))
        assert rows[0][:6] == ("A", "B", "C", "D", "E", 3)
        assert rows[2][:7] == ("LA num", "LA Name", "LA number", "GOInd", "GOReg", "SN1", "SNP")
        end = next(i for i, row in enumerate(rows) if row[1] == "Old SNs:")
        assert set(rows[end - 1]) == {None}
        assert 835 in [row[0] for row in rows[end:]]
        lists[name] = {row[0]: row[5:25:2] for row in rows[3 : end - 1]}
        regions = {row[4] for row in rows[3 : end - 1]}
        assert len(regions) == 10
        assert {"North West", "London (Inner)"} < regions
    early, late = lists["sn_april_2021"], lists["sn_may_2025"]
    assert early[942] == ("-",) * 10
    assert 942 in late[340]  # a neighbour that the tables do not have
    shared = len(set(early[340]) & set(late[340]))
    assert 3 <= shared <= 9


def test_secondaries_carry_the_codes_of_key_stage_4(synthetic_england):
    for year in YEARS:
        rows = rows_of(synthetic_england, year, "ks4")
        codes = collections.Counter(row.get("P8MEA") for row in rows)
        assert min(codes["NP"], codes["NE"], codes["SUPP"], codes["LOWCOV"]) > 0
        kinds = collections.Counter(row["RECTYPE"] for row in rows)
        assert (kinds["5"], kinds["7"]) == (1, 1)
        assert kinds["4"] > 140
        here = [row for row in rows if row["LEA"] == "340" and row["RECTYPE"] == "1"]
        assert sum(row.get("P8MEA", "NP") != "NP" for row in here) == 6


def test_published_limits_give_back_the_pupil_level_sd(ks2):
    widths = []
    for row in ks2[2019]:
        if row["RECTYPE"] == "1" and re.fullmatch(r"-?[\d.]+", row.get("READPROG", "")) and int(row["TELIG"]) >= 40:
            n = int(row["TELIG"]) * float(row["READCOV"].rstrip("%")) / 100
            half_width = (float(row["READPROG_UPPER"]) - float(row["READPROG_LOWER"])) / 2
            widths.append(half_width / 1.96 * np.sqrt(n))
    # 6.17 in 2019. Limits rounded to 0.1 and coverage to 1 % blur single schools by a few per cent, the median hardly.
    assert np.median(widths) == pytest.approx(6.17, abs=0.05)


def test_scores_as_published_have_the_spread_of_the_real_panel(ks2):
    rows = [r for r in ks2[2017] if r["RECTYPE"] == "1" and re.fullmatch(r"-?[\d.]+", r.get("READPROG", ""))]
    both = np.array(
        [(float(r["READPROG"]), float(r["MATPROG"])) for r in rows if re.fullmatch(r"-?[\d.]+", r["MATPROG"])]
    )
    # Panel 2017: SD 2.52 and 2.65, correlation .71; areas make one draw's SD uncertain by about 0.03.
    np.testing.assert_allclose(both.std(axis=0), [2.52, 2.65], atol=0.13)
    assert np.corrcoef(both.T)[0, 1] == pytest.approx(0.71, abs=0.03)


def number(cell):
    return (
        float(cell.removesuffix("%"))
        if cell and cell.removesuffix("%").replace(".", "").lstrip("-").isdigit()
        else None
    )


def test_the_summer_of_2016_has_a_table_whose_scores_later_tables_repeat(synthetic_england, ks2):
    path = synthetic_england / "performance-tables" / "ks2" / "2015-2016_england_ks2final.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        own = {row["URN"]: row for row in csv.DictReader(file) if row["RECTYPE"] == "1"}
    repeated = [row for row in ks2[2017] if row["RECTYPE"] == "1" and number(row.get("READPROG_16") or "") is not None]
    assert len(repeated) > 14_000
    for row in repeated:
        assert number(own[row["URN"]]["READPROG"]) == number(row["READPROG_16"])
        assert own[row["URN"]]["READ_AVERAGE"] == row["READ_AVERAGE_16"]


@pytest.mark.parametrize(("subject", "progress", "sd"), [("READ", "READPROG", 7.9), ("MAT", "MATPROG", 7.0)])
def test_scaled_scores_follow_progress_and_shares_follow_scaled_scores(ks2, subject, progress, sd):
    columns = ("TELIG", progress, f"{subject}_AVERAGE", f"PT{subject}_EXP", f"PT{subject}_HIGH", "PTRWM_EXP")
    rows = [[number(row.get(name) or "") for name in columns] for row in ks2[2018] if row["RECTYPE"] == "1"]
    pupils, score, average, expected, higher, together = np.array([row for row in rows if None not in row]).T
    assert np.corrcoef(score, average)[0, 1] > 0.6
    assert np.corrcoef(average, expected)[0, 1] > 0.8
    assert (higher <= expected).all()
    assert (together <= expected + 1).all()  # whole pupils and whole per cent
    # the same arithmetic as for the published tables: 10 points between the two standards of all pupils
    shares = [pupils @ share / pupils.sum() / 100 for share in (expected, higher)]
    quantiles = [NormalDist().inv_cdf(1 - share) for share in shares]
    assert 10 / (quantiles[1] - quantiles[0]) == pytest.approx(sd, abs=0.15)
    mean = 100 - quantiles[0] * sd
    assert mean == pytest.approx(pupils @ average / pupils.sum(), abs=0.5)
