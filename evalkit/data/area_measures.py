"""What changed in how the measures of area series are made, by DfE's short names; a break is refused or said."""

from __future__ import annotations

import re
from typing import Final

from evalkit.data.measures import MEASURES, Break

_TESTS: Final = next(found for found in MEASURES["READPROG"].breaks if found.kind == "level")
_CAP: Final = next(found for found in MEASURES["MATPROG"].breaks if found.kind == "year-common")
_WRITING: Final = next(found for found in MEASURES["WRITPROG"].breaks if "writing" in found.sentence)
_RESCALED: Final = MEASURES["ATT8SCR"].breaks[0]
_NEW_GRADES: Final = MEASURES["P8MEA"].breaks[0]

_TEACHER_GRADES: Final = tuple(
    Break(before=before, after=after, kind="level", sentence=sentence)
    for before, after, sentence in (
        (2019, 2020, "Grades of 2020 and 2021 were set by teachers: they are not comparable with exam results."),
        (2021, 2022, "Grades of 2021 were set by teachers and those of 2022 in exams again: they are not comparable."),
    )
)
_MIDWAY: Final = Break(
    before=2022,
    after=2023,
    kind="year-common",
    sentence="Grades of 2022 were set midway between those of 2021 and of 2019. The difference between areas may "
    "cross this change only if it acts alike on all.",
)
_NEW_PROFILE: Final = Break(
    before=2019,
    after=2022,
    kind="level",
    sentence="The early years profile was made anew in 2022 and none was published for 2020 and 2021: earlier years "
    "are not comparable.",
)

_BREAKS: Final[tuple[tuple[str, tuple[Break, ...]], ...]] = (
    (r"KS2W_Prog_VA|.*KS2.*Writing_Progress|LAC_KS2_AVG_Prog8_W", (_TESTS, _CAP, _WRITING)),
    (r"KS2._Prog_VA|.*KS2.*_Progress|LAC_KS2_AVG_Prog8_.", (_TESTS, _CAP)),
    (r"KS2W_.*|KS2GDW_.*|(CIN|LAC)_KS2_ExpStd_R?W.*|.*KS2.*RWM.*", (_TESTS, _WRITING)),
    (r".*KS2.*", (_TESTS,)),
    (r".*Prog8.*", (_NEW_GRADES, Break(before=2017, after=2018, kind="year-common", sentence=_CAP.sentence))),
    (r".*A(ttain|TT)8.*|CPPO_KS4_A8", (_RESCALED, *_TEACHER_GRADES, _MIDWAY)),
    (r"(.*_)?EngMaths9-.|EngBac.*|CIN_EngBac.*", (*_TEACHER_GRADES, _MIDWAY)),
    (r".*Good_?_?(Develop|dev).*|.*Gooddev.*|FSP_.*|FSPAVE.*|CIN_Good _Develop", (_NEW_PROFILE,)),
)
"""Short names as patterns, the first that fits; evaluation breaks as DfE's own notes to the tables give them."""

NOT_LOOKED_AT: Final = (
    "This kit knows no change in how this measure is made, and has not looked for one: check its notes before years "
    "are compared."
)


def area_breaks(short_name: str) -> tuple[Break, ...] | None:
    """Return the changes in how a measure is made, None where this kit has not looked for any."""
    return next((breaks for pattern, breaks in _BREAKS if re.fullmatch(pattern, short_name)), None)
