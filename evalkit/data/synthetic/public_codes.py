"""Public codes of England's authorities and regions, as published files carry them beside the three-digit ones."""

from __future__ import annotations

from functools import cache
from typing import Final

from evalkit.data.synthetic.geography import REGIONS, area_name

ENGLAND: Final = ("E92000001", "England")
_OF_CODE: Final = {  # the number that ends the GSS code of each three-digit code; of a code used twice the later one
    "E06": (
        "420:53 800:22 801:23 802:24 803:25 805:1 806:2 807:3 808:4 810:10 811:11 812:12 813:13 815:65 816:14 "
        "821:32 822:55 823:56 825:60 826:42 831:15 836:29 837:28 838:59 839:58 840:47 841:5 846:43 851:44 "
        "852:45 856:16 857:17 861:21 865:54 866:30 867:36 868:40 869:37 870:38 871:39 872:41 874:31 876:6 "
        "877:7 879:26 880:27 882:33 883:34 884:19 887:35 889:8 890:9 892:18 893:51 894:20 895:49 896:50 "
        "908:52 921:46 929:57 933:66 940:61 941:62 942:63 943:64 "
    ),
    "E08": (
        "330:25 331:26 332:27 333:28 334:29 335:30 336:31 340:11 341:12 342:13 343:14 344:15 350:1 351:2 "
        "352:3 353:4 354:5 355:6 356:7 357:8 358:9 359:10 370:16 371:17 372:18 373:19 380:32 381:33 382:34 "
        "383:35 384:36 390:37 391:21 392:22 393:23 394:24 "
    ),
    "E09": (
        "201:1 202:7 203:11 204:12 205:13 206:19 207:20 208:22 209:23 210:28 211:30 212:32 213:33 301:2 302:3 "
        "303:4 304:5 305:6 306:8 307:9 308:10 309:14 310:15 311:16 312:17 313:18 314:21 315:24 316:25 317:26 "
        "318:27 319:29 320:31 "
    ),
    "E10": (
        "830:7 835:9 845:11 850:14 855:18 860:28 873:3 878:8 881:12 885:34 886:16 888:17 891:24 909:6 916:13 "
        "919:15 925:19 926:20 928:21 931:25 935:29 936:30 937:31 938:32 "
    ),
}
_REGION_CODES: Final = {
    "North East": "E12000001", "North West": "E12000002", "Yorkshire and The Humber": "E12000003",
    "East Midlands": "E12000004", "West Midlands": "E12000005", "East of England": "E12000006",
    "South East": "E12000008", "South West": "E12000009", "Inner London": "E13000001", "Outer London": "E13000002",
}  # fmt: skip
_REGION_NAMES: Final = {
    "London (Inner)": "Inner London", "London (Outer)": "Outer London",
    "Yorkshire and the Humber": "Yorkshire and The Humber",
}  # fmt: skip
SPLIT: Final = {928: (2021, (940, 941)), 909: (2023, (942, 943))}
"""Counties that were divided: the first summer under the new codes, and the codes."""
_BEFORE_2019: Final = {835: 838, 836: 839, 837: 839}
"""Codes that ended with 2018, and the one that stands for them now."""


@cache
def gss_codes() -> dict[int, str]:
    """Return the GSS code of every three-digit code of an authority."""
    found = {}
    for prefix, pairs in _OF_CODE.items():
        for pair in pairs.split():
            code, number = pair.split(":")
            found[int(code)] = f"{prefix}{int(number):06d}"
    return found


@cache
def region_of(code: int) -> tuple[str, str]:
    """Return code and name of the region that an authority lies in, as Explore Education Statistics writes them."""
    like = {new: old for old, (_, both) in SPLIT.items() for new in both} | _BEFORE_2019
    wanted = like.get(code, code)
    region = next(name for name, _, codes in REGIONS if wanted in codes)
    name = _REGION_NAMES.get(region, region)
    return _REGION_CODES[name], name


def regions() -> tuple[tuple[str, str], ...]:
    """Return code and name of every region."""
    return tuple((code, name) for name, code in _REGION_CODES.items())


def authority_cells(code: int) -> dict[str, str]:
    """Return the columns by which Explore Education Statistics names an authority and its region."""
    region_code, region = region_of(code)
    return {
        "region_code": region_code,
        "region_name": region,
        "old_la_code": str(code),
        "new_la_code": gss_codes()[code],
        "la_name": area_name(code),
    }
