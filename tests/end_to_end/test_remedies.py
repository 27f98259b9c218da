"""What a message says is to be done is tried: each input is refused, and passes once that was done."""

import json

import pandas as pd
import pytest

from tests.small_tables import DID, MATCH, SIMILAR, SYNTH, TABLES
from tests.whole_command import typed


class Case:
    """A fault, the words of its message, and the remedy that these words name.

    The table is spoilt and mended (made anew where the remedy is in the options or in the writing), `wrong` and `right`
    are options, added to the command's usual words or put in their place where they begin as these do.
    """

    def __init__(self, command, said, *, spoil=None, mend=None, wrong=(), right=(), write=None, rewrite=None):
        self.command, self.said = command, said
        self.spoil, self.mend = spoil or _same, mend
        self.wrong, self.right = wrong, right
        self.write, self.rewrite = write or _csv, rewrite or _csv

    def words(self, given):
        usual = TABLES[self.command][1]
        return given if given[:1] == usual[:1] else (*usual, *given)


def _same(table):
    return table


def _csv(table, folder):
    table.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def as_bytes(change):
    """Return a writer of CSV whose bytes are changed."""

    def write(table, folder):
        path = _csv(table, folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return write


def under(name, change=lambda content: content):
    """Return a writer of CSV text under another name."""

    def write(table, folder):
        path = folder / name
        path.write_bytes(change(_csv(table, folder).read_bytes()))
        return path

    return write


def with_cell(column, row, value):
    def change(table):
        table = table.astype({column: object})
        table.loc[row, column] = value
        return table

    return change


def whole(column, function):
    return lambda table: table.assign(**{column: function(table)})


def replaced(words, old, new):
    return tuple(new if word == old else word for word in words)


CASES = {
    # reading
    "a quote that never closes": Case(
        "did",
        "Delete the mark, or close the cell",
        write=as_bytes(lambda b: b.replace(b"A03", b'"A03', 1)),
        rewrite=as_bytes(lambda b: b.replace(b"A03", b'"A03"', 1)),
    ),
    "another encoding": Case(
        "match",
        "Save it as UTF-8",
        spoil=with_cell("region", 3, "Côté"),
        write=as_bytes(lambda b: b.decode().encode("cp1252")),
    ),
    "semicolons": Case("did", "save it with commas", write=as_bytes(lambda b: b.replace(b",", b";"))),
    "a second header": Case(
        "match",
        "or delete the line",
        write=as_bytes(lambda b: b + b.splitlines()[0] + b"\n"),
    ),
    "a row too long": Case(
        "similar", "Correct the line", write=as_bytes(lambda b: b.replace(b"North", b"North, East", 1))
    ),
    "a cell too long": Case("did", "correct it", spoil=with_cell("score", 4, "9" * 140_000)),
    "a workbook by name": Case("match", "Save its sheet as 'CSV UTF-8'", write=under("table.xlsx")),
    "tabs by name": Case("match", "with commas", write=under("table.tsv", lambda b: b.replace(b",", b"\t"))),
    "a missing column": Case("match", "Did you mean 'before'?", wrong=replaced(MATCH, "before,fsm", "befor,fsm")),
    # numbers
    "a word among numbers": Case(
        "did",
        "leave the cell empty if the value is missing",
        spoil=with_cell("score", 5, "about 50"),
        mend=with_cell("score", 5, None),
    ),
    "percent signs here and there": Case(
        "match",
        "Write all of them with the sign, or none",
        spoil=with_cell("fsm", 3, "20%"),
        mend=whole("fsm", lambda table: table["fsm"].astype(str).str.rstrip("%") + "%"),
    ),
    "texts among a covariate's numbers": Case(
        "match",
        "name 'fsm' as a category (--categories)",
        spoil=whole("fsm", lambda t: [["1", "2", "many"][at % 3] for at in range(len(t))]),
        right=("--categories", "fsm"),
    ),
    "an infinite number": Case(
        "did", "Correct it", spoil=with_cell("score", 5, "inf"), mend=with_cell("score", 5, "51.2")
    ),
    "a number too large": Case("did", "Use another unit of it", spoil=whole("score", lambda t: t["score"] * 1e200)),
    "numbers too small": Case("match", "Use another unit", spoil=whole("fsm", lambda t: t["fsm"] * 1e-200)),
    # did
    "a gap in the units": Case(
        "did", "Fill it in", spoil=with_cell("school", 0, None), mend=with_cell("school", 0, "100000")
    ),
    "a gap in the periods": Case(
        "did", "Fill it in", spoil=with_cell("year", 0, None), mend=with_cell("year", 0, 2014)
    ),
    "a cohort of 0": Case(
        "did",
        "leave the cohort empty there",
        spoil=whole("first", lambda t: t["first"].fillna(0)),
        mend=whole("first", lambda t: t["first"].replace(0, pd.NA)),
    ),
    "a cohort of 1900 for an early start": Case(
        "did",
        "write 2014",
        spoil=whole("first", lambda t: t["first"].mask(t["school"] == "100003", 1900)),
        mend=whole("first", lambda t: t["first"].replace(1900, 2014)),
    ),
    "ids in two ways": Case(
        "did",
        "Write each unit in one way in all rows",
        spoil=with_cell("school", 0, "100000.0"),
        mend=whole("school", lambda t: t["school"].astype(str).str.removesuffix(".0")),
    ),
    "two rows of one unit and period": Case(
        "did",
        "Keep one row for each unit and period",
        spoil=lambda t: pd.concat([t, t.iloc[:1]]),
        mend=lambda t: t.drop_duplicates(["school", "year"]),
    ),
    "a negative weight": Case(
        "did",
        "Correct it",
        spoil=with_cell("pupils", 2, -4),
        mend=with_cell("pupils", 2, 40),
        wrong=("--weights", "pupils"),
        right=("--weights", "pupils"),
    ),
    "a cohort that changes": Case(
        "did",
        "cohort",
        spoil=with_cell("first", 0, 2017),
        mend=with_cell("first", 0, 2016),
    ),
    "nobody never treated": Case(
        "did",
        "comparison 'not-yet'",
        spoil=whole("first", lambda t: t["first"].fillna(2019)),
        right=("--comparison", "not-yet"),
    ),
    "nobody never treated: cohort empty": Case(
        "did",
        "Leave the cohort empty for units never treated",
        spoil=whole("first", lambda t: t["first"].fillna(2019)),
        mend=whole("first", lambda t: t["first"].replace(2019, pd.NA)),
    ),
    "a covariate that the comparison units lack": Case(
        "did",
        "leave the covariate out",
        spoil=whole("fsm", lambda t: t["fsm"].where(t["first"].notna())),
        wrong=("--covariates", "fsm"),
    ),
    "a covariate that is fixed": Case(
        "did",
        "use the extended or the group-time estimator",
        wrong=("--estimator", "two-stage", "--covariates", "fsm"),
        right=("--estimator", "group-time", "--covariates", "fsm"),
    ),
    "an option of another estimator": Case(
        "did",
        "Leave it out",
        wrong=("--estimator", "imputation", "--method", "ipw"),
        right=("--estimator", "imputation"),
    ),
    "balanced too far": Case("did", "Give at most 3", wrong=("--balanced-until", "9"), right=("--balanced-until", "3")),
    "one draw": Case("did", "999 for a report", wrong=("--bootstrap", "1"), right=("--bootstrap", "999")),
    "draws of nothing": Case(
        "did", "--bootstrap 999", wrong=("--draw", "clusters"), right=("--draw", "clusters", "--bootstrap", "99")
    ),
    "levels of an estimator that follows units": Case(
        "did",
        "Use pairs or complete",
        wrong=("--estimator", "imputation", "--unbalanced", "levels"),
        right=("--estimator", "imputation", "--unbalanced", "complete"),
    ),
    "a cluster that units leave": Case(
        "did",
        "cluster",
        spoil=with_cell("area", 0, "A09"),
        mend=with_cell("area", 0, "A00"),
        wrong=("--cluster", "area"),
        right=("--cluster", "area"),
    ),
    # periods
    "years beside other periods": Case(
        "did",
        "Write ",
        spoil=whole("year", lambda t: [f"{y}/{(y + 1) % 100:02d}" if y < 2016 else f"{y}Q1" for y in t["year"]]),
        mend=whole("year", lambda t: [int(y[:4]) for y in t["year"]]),
    ),
    "an odd period": Case("did", "Write ", spoil=with_cell("year", 0, "spring 2014"), mend=with_cell("year", 0, 2014)),
    # match
    "yes and no": Case(
        "match",
        "Write 1 for units that took part and 0 for the others",
        spoil=whole("joined", lambda t: t["joined"].map({1: "Yes", 0: "No"})),
        mend=whole("joined", lambda t: t["joined"].map({"Yes": 1, "No": 0})),
    ),
    "a 2 among 0 and 1": Case(
        "match", "Write 1 for units that took part", spoil=with_cell("joined", 1, 2), mend=with_cell("joined", 1, 0)
    ),
    "a missing covariate": Case(
        "match",
        "Leave them out, or make missing a category of its own (--missing category)",
        spoil=whole("fsm", lambda t: t["fsm"].where(t.index % 3 > 0)),
        right=("--missing", "category"),
    ),
    "a missing covariate: left out": Case(
        "match", "Leave them out", spoil=with_cell("fsm", 3, None), mend=lambda t: t.dropna(subset=["fsm"])
    ),
    "a covariate that nobody has": Case(
        "match",
        "is missing for every unit, so it tells nothing apart. Leave it out",
        spoil=whole("fsm", lambda t: "SUPP"),
        wrong=("--missing", "category"),
        right=replaced(MATCH, "before,fsm", "before"),
    ),
    "an outcome that nobody has": Case(
        "did",
        "name another column",
        spoil=whole("score", lambda t: "SUPP"),
        right=replaced(DID, "score", "fsm"),
    ),
    "an id twice": Case(
        "match", "Keep one row", spoil=with_cell("school", 1, "100000"), mend=lambda t: t.drop_duplicates("school")
    ),
    "the outcome among the covariates": Case(
        "match", "Leave it out of what is matched on", wrong=replaced(MATCH, "before,fsm", "before,score")
    ),
    "a constant covariate": Case(
        "match",
        "Leave it out",
        spoil=whole("fsm", lambda t: 12.5),
        right=replaced(MATCH, "before,fsm", "before"),
    ),
    "the effect on all by pairs": Case(
        "match",
        "For the ATE use full matching",
        wrong=("--estimand", "ATE"),
        right=("--estimand", "ATE", "--method", "full"),
    ),
    "too many partners": Case(
        "match",
        "Lower the ratio",
        wrong=("--method", "optimal", "--ratio", "9"),
        right=("--method", "optimal", "--ratio", "2"),
    ),
    "a caliper of a distance": Case(
        "match",
        "Give --caliper as well",
        wrong=("--mahalanobis-on", "fsm"),
        right=("--mahalanobis-on", "fsm", "--caliper", "0.5"),
    ),
    "replacement and reuse": Case(
        "match", "Give one of them", wrong=("--replace", "--reuse", "2"), right=("--reuse", "2")
    ),
    "an order without a score": Case(
        "match",
        "Use 'id'",
        wrong=("--distance", "mahalanobis", "--order", "largest"),
        right=("--distance", "mahalanobis", "--order", "id"),
    ),
    "an adjustment of nothing": Case(
        "match", "--adjust", wrong=("--adjustment", "additive"), right=("--adjustment", "additive", "--adjust", "fsm")
    ),
    # synth
    "a start without a period before it": Case(
        "synth",
        "Choose a start after 2008 and up to 2019",
        wrong=replaced(SYNTH, "2016", "2008"),
        right=replaced(SYNTH, "2016", "2009"),
    ),
    "an unknown area": Case("synth", "Did you mean", wrong=replaced(SYNTH, "A01", "A1")),
    "an area named twice": Case(
        "synth", "Take it off one list", wrong=("--exclude", "A01"), right=("--exclude", "A02")
    ),
    "a treated area with a gap": Case(
        "synth",
        "Leave these periods out for every area",
        spoil=lambda t: t[~((t["area"] == "A01") & (t["year"] == 2011))],
        mend=lambda t: t[t["year"] != 2011],
    ),
    "no donor for want of one period": Case(
        "synth",
        "Leave 2017 out for every area",
        spoil=lambda t: t[(t["area"] == "A01") | (t["year"] != 2017)],
        mend=lambda t: t[t["year"] != 2017],
    ),
    "two rows of one area and period": Case(
        "synth",
        "Keep one row for each area and period",
        spoil=lambda t: pd.concat([t, t.iloc[:1]]),
        mend=lambda t: t.drop_duplicates(["area", "year"]),
    ),
    # similar
    "an id with .0": Case("similar", "Did you mean '100003'?", wrong=replaced(SIMILAR, "100003", "100003.0")),
    "a weight of nothing": Case(
        "similar", "--on names before and fsm", wrong=("--weight", "region=2"), right=("--weight", "fsm=2")
    ),
    "a constant characteristic": Case(
        "similar",
        "Leave it out",
        spoil=whole("fsm", lambda t: 12.5),
        right=replaced(SIMILAR, "before,fsm", "before"),
    ),
    "the id compared on": Case("similar", "Leave it out", wrong=replaced(SIMILAR, "before,fsm", "before,school")),
    "the unit lacks a characteristic": Case(
        "similar", "Fill it in", spoil=with_cell("fsm", 3, None), mend=with_cell("fsm", 3, 20.5)
    ),
    "a list of none": Case("similar", "from 1 to", wrong=("--n", "0"), right=("--n", "1")),
    "spread within nothing": Case(
        "similar",
        "Name what is shared with --same",
        wrong=("--sd-within-same",),
        right=("--sd-within-same", "--same", "region"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_doing_what_the_message_says_works(name, tmp_path):
    case = CASES[name]
    make = TABLES[case.command][0]
    spoilt = case.spoil(make())
    ran = typed(case.command, case.write(spoilt, tmp_path), *case.words(case.wrong))
    said = " ".join(ran.err.split())
    assert ran.code == 2, (ran.code, ran.out[:300], said)
    assert case.said in said
    mended = case.mend(spoilt) if case.mend else spoilt if case.right else make()
    again = typed(case.command, case.rewrite(mended, tmp_path), *case.words(case.right))
    assert again.code == 0, (said, again.err)
    assert again.out


def test_every_small_table_is_valid(tmp_path):
    for command, (make, words) in TABLES.items():
        ran = typed(command, _csv(make(), tmp_path), *words, "--json")
        assert ran.code == 0, (command, ran.err)
        assert json.loads(ran.out)
