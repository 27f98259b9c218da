"""The region of an authority, by DfE's code."""

from __future__ import annotations

from typing import Final

NOT_KNOWN: Final = "not known"
SEVERAL: Final = "several regions"

# Codes in use since 2002: public facts, held against DfE's own lists by a test.
_CODES: Final[dict[str, tuple[int, ...]]] = {
    "East Midlands": (830, 831, 855, 856, 857, 891, 892, 925, 928, 940, 941),
    "East of England": (820, 821, 822, 823, 873, 874, 881, 882, 883, 919, 926, 935),
    "London": (*range(201, 214), *range(301, 321)),
    "North East": (*range(390, 395), 805, 806, 807, 808, 840, 841, 929),
    "North West": (*range(340, 345), *range(350, 360), 875, 876, 877, 888, 889, 890, 895, 896, 909, 942, 943),
    "South East": (825, 826, 845, 846, 850, 851, 852, *range(867, 873), 886, 887, 921, 931, 936, 938),
    "South West": (420, *range(800, 804), *range(835, 840), 865, 866, 878, 879, 880, 908, 916, 933),
    "West Midlands": (*range(330, 337), 860, 861, 884, 885, 893, 894, 937),
    "Yorkshire and the Humber": (*range(370, 374), *range(380, 385), 810, 811, 812, 813, 815, 816),
}
_REGION: Final = {code: region for region, codes in _CODES.items() for code in codes}


def region_of(areas: tuple[int, ...]) -> str:
    """Return the region of areas by DfE code, `several regions` where they lie in more than one."""
    regions = {_REGION.get(area, NOT_KNOWN) for area in areas}
    return SEVERAL if len(regions) > 1 else regions.pop() if regions else NOT_KNOWN
