"""The template of a new project with a value in each place."""

import re

VALUES = {
    "first day": "2017-09-01", "last day": "2018-07-31", "DfE code": "341", "summers before": "2016, 2017",
    "summers with part": "", "summers after": "2018", "code of the outcome aimed at": "MATPROG",
    "code of another": "READPROG", "code of an outcome": "WRITPROG", "code of the placebo": "WRITPROG",
    "column of the school": "URN", "column of the pupil": "pupil", "column of the year": "year",
    "column of the score": "score", "column of the person": "person", "column of the wave": "wave",
}  # fmt: skip


def filled_in(text):
    """Return the template with a value in each place."""

    def value(found):
        return next((new for start, new in VALUES.items() if found[0].startswith(f"«{start}")), "text")

    return re.sub("«[^»]*»", value, text)
