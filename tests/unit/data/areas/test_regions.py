"""The region of an area, against DfE's own list and the synthetic England's."""

from evalkit.data.areas.regions import _REGION, NOT_KNOWN, SEVERAL, region_of
from evalkit.data.published.neighbours import read_neighbours
from evalkit.data.synthetic.geography import REGIONS


def plain(region: str) -> str:
    return "London" if region.startswith("London") else region


def test_the_region_of_areas():
    assert region_of((340,)) == "North West"
    assert region_of((340, 341)) == "North West"
    assert region_of((340, 380)) == SEVERAL
    assert region_of((999,)) == NOT_KNOWN
    assert region_of(()) == NOT_KNOWN


def test_every_area_of_2016_to_2019_has_its_region():
    for region, _, codes in REGIONS:
        assert {region_of((code,)) for code in codes} == {plain(region)}


def test_regions_are_those_of_dfe(shared_data):
    files = sorted((shared_data / "lait").glob("*.xlsx"))
    checked = 0
    for file in files:
        try:
            table = read_neighbours(file)
        except Exception:
            continue  # another workbook of the folder
        for code, region in table.regions.items():
            if region and code in table.neighbours:
                assert region_of((code,)) == plain(
                    region.replace("Yorkshire and The Humber", "Yorkshire and the Humber")
                )
                checked += 1
    assert checked > 150


def test_no_code_stands_in_two_regions():
    assert len(_REGION) == len(set(_REGION))
    assert len(_REGION) > 150
