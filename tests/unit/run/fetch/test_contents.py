"""What came is the kind of file that was asked for, and whole."""

import io
import json
import zipfile

import pytest

from evalkit.core.errors import DataError
from evalkit.run.fetch.contents import settled_name
from tests.public_server import packed

TABLE = b"\xef\xbb\xbfURN,LEA,NAME\r\n100000,340,A\r\n100001,340,B\r\n"
OUTLINES = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature"}]}).encode()


def zipped(**entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.csv", content)
    return made.getvalue()


def settled(tmp_path, name, content):
    path = tmp_path / "part"
    path.write_bytes(content)
    return settled_name(path, name)


@pytest.mark.parametrize(
    ("name", "content", "final"),
    [
        ("a.csv", TABLE, "a.csv"),
        ("a.csv", packed(TABLE), "a.csv.gz"),
        ("a.csv.gz", packed(TABLE), "a.csv.gz"),
        ("a.csv.gz", TABLE, "a.csv"),  # unpacked by the server
        ("a.csv", zipped(b=TABLE), "a.zip"),
        ("2019_340.v2.csv", zipped(b=TABLE), "2019_340.v2.zip"),
        ("a.zip", zipped(b=TABLE), "a.zip"),
        ("a.xlsx", zipped(b=TABLE), "a.xlsx"),
        ("a.csv", TABLE.rstrip(), "a.csv"),  # whole, without an end to its last line
        ("a.csv", b"a;b\n1;2\n", "a.csv"),
        ("a.geojson", OUTLINES, "a.geojson"),
        ("a.geojson", packed(OUTLINES), "a.geojson.gz"),
        ("a.parquet", b"PAR1....PAR1", "a.parquet"),
    ],
)
def test_a_file_is_named_by_what_it_is(tmp_path, name, content, final):
    assert settled(tmp_path, name, content) == final


PAGE = b"\n <!DOCTYPE html><html><head><title>Sorry,\n the service is unavailable</title></head></html>"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", PAGE, "web page, 'Sorry, the service is unavailable', in place of the file"),
        ("a.csv", packed(PAGE), "web page"),
        ("a.zip", PAGE, "web page"),
        ("a.geojson", PAGE, "web page"),
        ("a.xlsx", b"\xef\xbb\xbf<html></html>", "web page"),
        ("a.csv", b"", "empty"),
        ("a.csv", packed(b""), "empty"),
        ("a.csv", b"\r\n \n", "empty"),
        ("a.csv", b'{"error": "no, not now"}', "no table"),
        ("a.csv", b"Service unavailable", "no table"),
        ("a.csv", "URN,LEA\n".encode("utf-16"), "bytes that are zero"),
        ("a.csv", TABLE + b"1,2,3\n" * 300_000 + bytes(4096) + b"1,2,3\n", "bytes that are zero"),
        ("a.csv", TABLE[:-8], "breaks off"),
        ("a.csv", packed(TABLE)[:-9], "damaged or cut short"),
        ("a.csv", packed(packed(TABLE)), "compressed twice"),
        ("a.zip", zipped(b=TABLE)[:-30], "damaged or cut short"),
        ("a.zip", zipped(), "something else|empty"),
        ("a.zip", TABLE, "something else"),
        ("a.geojson", OUTLINES[:-3], "no whole JSON"),
        ("a.geojson", b'{"error": {"code": 400, "message": "Invalid URL"}}', "no outlines but .*Invalid URL"),
        ("a.geojson", b'{"features": [1], "properties": {"exceededTransferLimit": true}}', "left outlines out"),
        ("a.geojson", b'{"features": []}', "left outlines out"),
        ("a.geojson", b"[" * 100_000, "no whole JSON"),
        ("a.parquet", b"PAR1....", "no whole Parquet"),
    ],
)
def test_what_is_no_whole_file_is_refused(tmp_path, name, content, why):
    with pytest.raises(DataError, match=why):
        settled(tmp_path, name, content)


def test_a_damaged_member_of_an_archive_is_found(tmp_path):
    content = bytearray(zipped(b=bytes(range(256)) * 40))
    content[60] ^= 0xFF
    with pytest.raises(DataError, match="damaged"):
        settled(tmp_path, "a.zip", bytes(content))
