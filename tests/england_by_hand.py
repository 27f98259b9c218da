"""The published England by plain pandas and openpyxl: who changed by how much, and who is whose neighbour."""

import openpyxl
import pandas as pd

YEARS = ["2016", "2017", "2018", "2019"]


def changes(panel, measure):
    """Mainstream schools with all four years: area of the 2019 row, and 2019 less the mean of 2016 and 2017."""
    rows = panel.assign(score=pd.to_numeric(panel[measure], errors="coerce"))
    last = rows.sort_values("YEAR").drop_duplicates("SCHOOL_ID", keep="last").set_index("SCHOOL_ID")
    wide = rows.pivot(index="SCHOOL_ID", columns="YEAR", values="score")[YEARS].dropna()
    group = last["MINORGROUP_SPINE1718"].reindex(wide.index)
    area = last["LA"].reindex(wide.index)
    kept = group.isin(["Maintained School", "Academy"]) & (area != "")
    change = wide["2019"] - (wide["2016"] + wide["2017"]) / 2
    return pd.DataFrame({"area": area[kept].astype(int), "change": change[kept]})


def lists(shared_data, name):
    sheet = openpyxl.load_workbook(shared_data / "lait" / name, data_only=True)["LA SN Groups"]
    rows = list(sheet.iter_rows(values_only=True))
    first = next(i for i, row in enumerate(rows) if row[0] == "LA num")
    at = [rows[first].index(f"SN{k}") for k in range(1, 11)]
    found = {}
    for row in rows[first + 1 :]:
        if str(row[0]).isdigit():
            found.setdefault(int(row[0]), [int(row[i]) for i in at if str(row[i]).isdigit()])
    return found
