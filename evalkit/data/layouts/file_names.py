"""What a file's name says where its content cannot: the school year, and whether it is provisional or final."""

from __future__ import annotations

import re
from typing import Final

from evalkit.data.files.layout import Stage

_SCHOOL_YEAR: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_ ]?(?:19|20)?(\d\d)(?!\d)")


def summer_by_name(name: str) -> int | None:
    """Return the summer of the school year that a file's name says, or else a folder or archive it lies in.

    A name that says two years says none.

    >>> summer_by_name("2018-2019/850_ks2final.csv"), summer_by_name("201819_ks2.csv"), summer_by_name("ks2-2018.csv")
    (2019, 2019, None)
    """
    for part in reversed(re.split(r"[/\\]", name)):
        years = [(int(first), int(second)) for first, second in _SCHOOL_YEAR.findall(part)]
        summers = {first + 1 for first, second in years if second == (first + 1) % 100}
        if len(summers) == 1:
            return summers.pop()
    return None


def stage_by_name(name: str) -> Stage:
    """Return whether a file calls itself provisional, revised or final; empty where it does not say."""
    for stage in ("provisional", "revised", "final"):
        if stage in name.lower():
            return stage
    return ""
