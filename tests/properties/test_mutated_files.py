"""Files as no publisher made them: whatever is done to one, it is listed with a reason or read, and nothing breaks."""

import gzip
import io
import random
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

import evalkit
from evalkit.core.errors import InputError
from evalkit.data.files.catalogue import catalogue
from evalkit.data.files.layout import Field, Layout
from evalkit.data.layouts.registry import layouts
from evalkit.data.store.importing import import_folder

PLAUSIBLE = {
    "text": ("A School", "Another School", "École"),
    "urn": ("104413", "104414", "104415"),
    "laestab": ("3402001", "3402002", "3402003"),
    "area": ("340", "340", "341"),
    "number": ("5.5", "SUPP", "7"),
    "percent": ("50%", "94.5%", "NA"),
    "date": ("01-09-2018", "2019-01-31", ""),
    "period": ("201819", "201819", "201718"),
    "code": ("1", "2", "1"),
}
ODD = ("", " ", "SUPP", "-", "NULL", "nan", "1e999", "-1", "99999999999999999999", "２０１９", "=1+1", "\u202e", "0",
       "#N/A", "2019/20", "31-02-2018", "E08000011", '"', "x" * 5000)  # fmt: skip
MOST_SECONDS = 20.0  # of CPU, since the machine may have other work
MOST_BYTES = 3_000_000_000


def made_up(layout: Layout) -> bytes:
    """Return a small CSV file with every column that a layout knows."""
    columns: dict[str, Field] = {}
    for field in layout.fields:
        columns.setdefault(field.name, field)
    rows = [list(columns), *([PLAUSIBLE[field.form][n] for field in columns.values()] for n in range(3))]
    return "\r\n".join(",".join(row) for row in rows).encode() + b"\r\n"


def lines(content: bytes) -> list[list[str]]:
    return [line.split(",") for line in content.decode("utf-8", "replace").splitlines()]


def joined(rows: list[list[str]], separator: str = ",") -> bytes:
    return ("\n".join(separator.join(row) for row in rows) + "\n").encode("utf-8", "replace")


def shuffled(content: bytes, chance: random.Random) -> bytes:
    rows = lines(content)
    order = list(range(len(rows[0])))
    chance.shuffle(order)
    return joined([[row[at] if at < len(row) else "" for at in order] for row in rows])


def renamed(content: bytes, chance: random.Random) -> bytes:
    rows = lines(content)
    rows[0][chance.randrange(len(rows[0]))] = chance.choice(["", "URN", "x", rows[0][0], "RECTYPE", "time_period"])
    return joined(rows)


def without_column(content: bytes, chance: random.Random) -> bytes:
    rows = lines(content)
    at = chance.randrange(len(rows[0]))
    return joined([row[:at] + row[at + 1 :] for row in rows])


def odd_cell(content: bytes, chance: random.Random) -> bytes:
    rows = lines(content)
    for _ in range(chance.randrange(1, 4)):
        row = chance.choice(rows[1:] or rows)
        row[chance.randrange(len(row))] = chance.choice(ODD)
    return joined(rows)


def uneven(content: bytes, chance: random.Random) -> bytes:
    rows = lines(content)
    row = chance.choice(rows)
    row[:] = chance.choice([row[: len(row) // 2], [*row, ""], [*row, "1"]])
    return joined(rows)


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def inserted(what: bytes) -> Callable[[bytes, random.Random], bytes]:
    def insert(content: bytes, chance: random.Random) -> bytes:
        at = chance.randrange(len(content) + 1)
        return content[:at] + what + content[at:]

    return insert


def zipped(content: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", content)
    whole = out.getvalue()
    return whole if chance.random() < 0.5 else flipped(whole, chance)


def as_workbook(content: bytes, chance: random.Random) -> bytes:
    book, out = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("Data")
    for row in lines(content):
        sheet.append([cell[:1000] if cell.isprintable() else "" for cell in row])
    book.save(out)
    return out.getvalue() if chance.random() < 0.5 else flipped(out.getvalue(), chance)


def as_parquet(content: bytes, chance: random.Random) -> bytes:
    rows, out = lines(content), io.BytesIO()
    names = [name if name not in rows[0][:at] else f"{name}.{at}" for at, name in enumerate(rows[0])]
    cells = {name: [row[at] if at < len(row) else None for row in rows[1:]] for at, name in enumerate(names)}
    parquet.write_table(pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()}), out)
    return out.getvalue() if chance.random() < 0.5 else flipped(out.getvalue(), chance)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda content, chance: content[: chance.randrange(len(content))],
    shuffled, renamed, without_column, odd_cell, odd_cell, uneven, flipped, zipped, as_workbook, as_parquet,
    inserted(b"\0"), inserted(b'"'), inserted(b"\n"), inserted(b","), inserted(b"\xff"),
    lambda content, chance: content + content,
    lambda content, chance: joined([lines(content)[0], *lines(content)[1:] * 3]),
    lambda content, chance: joined(lines(content)[:1]),
    lambda content, chance: joined(lines(content), chance.choice(";\t|")),
    lambda content, chance: content.decode().encode(chance.choice(["utf-16", "utf-8-sig", "cp1252", "utf-32"])),
    lambda content, chance: b"<html><body>" + content,
    lambda content, chance: gzip.compress(content)[: chance.choice([None, -5, 12])],
    lambda content, chance: content.replace(b"\r\n", b"\r"),
)  # fmt: skip
NAMES = ("t.csv", "t.csv", "t.csv", "t_final.csv", "t.csv.gz", "t.xlsx", "t.zip", "t.parquet", "t.json", "t", "t.ods",
         "t.csv.part", "t.geojson")  # fmt: skip


def mutated(n: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files to which one, two or three things were done."""
    chance = random.Random(seed)
    known = layouts()
    for at in range(n):
        content = made_up(known[at % len(known)])
        for _ in range(chance.choice([1, 1, 2, 3])):
            try:
                content = chance.choice(MUTATIONS)(content, chance) or b"x"
            except (UnicodeError, ValueError, IndexError):
                continue  # it is no longer a text that this could be done to
        yield f"{at:05}_{chance.choice(NAMES)}", content


def readers() -> dict[str, Callable[[Path], object]]:
    """Return the public reader of every layout."""
    return {layout.reader: getattr(evalkit, layout.reader) for layout in layouts() if layout.reader}


def stand(folder: Path, n: int, seed: int) -> None:
    """Put mutated files through the catalogue, the store and a reader each; fail where anything but an answer comes."""
    files = dict(mutated(n, seed))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    known = layouts()
    found = catalogue(folder, known).entries
    assert {entry.name.split("/")[0] for entry in found} == set(files)
    assert all(entry.layout or entry.reason for entry in found)
    assert sum(entry.layout is not None for entry in found) > n / 10  # else nothing would be proved
    stored = import_folder(folder, folder.parent / "store").entries
    # a file with several faults may be told by another of them: the store reads all of it at once
    assert [(one.name, one.kind, one.contents, bool(one.reason)) for one in stored] == [
        (one.name, one.kind, one.contents, bool(one.reason)) for one in found
    ]
    by_reader = list(readers().items())
    for at, name in enumerate(files):
        own = known[at % len(known)].reader
        for reader, read in {(own, getattr(evalkit, own, None)), by_reader[at % len(by_reader)]} if by_reader else ():
            began = time.process_time()
            try:
                if read is not None:
                    read(folder / name)
            except InputError:
                pass
            except TypeError as problem:
                if "required" not in str(problem):  # it wants to be told more than a path
                    raise AssertionError(f"{reader} of {name} (seed {seed}): {problem!r}") from problem
            except Exception as problem:
                raise AssertionError(f"{reader} of {name} (seed {seed}): {problem!r}") from problem
            assert time.process_time() - began < MOST_SECONDS, f"{reader} of {name} (seed {seed}) hangs"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_BYTES


def test_two_hundred_mutated_files_end_in_answers(tmp_path):
    (tmp_path / "raw").mkdir()
    stand(tmp_path / "raw", 200, seed=14)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_ten_thousand_mutated_files_end_in_answers(tmp_path, seed):
    (tmp_path / "raw").mkdir()
    stand(tmp_path / "raw", 500, seed=1000 + seed)


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: layout.name)
def test_a_made_up_file_has_every_column_that_a_layout_needs(layout):
    if not layout.fields:
        pytest.skip("the layout is told by other things than columns")
    header = lines(made_up(layout))[0]
    assert {field.name for field in layout.fields if field.is_required} <= set(header)
