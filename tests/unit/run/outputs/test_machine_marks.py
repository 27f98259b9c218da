"""A folder or the name of this machine is found wherever it hides in a file."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest

from evalkit.run.outputs.machine_marks import machine_marks, marks_in
from tests.small_contents import png

MARK = "/" + "home/jo/work"


def docx(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("docProps/core.xml", text)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        f"<p>{MARK}/report</p>".encode(),
        MARK.replace("/", "\\/").encode(),
        docx(f"<dc:creator>{MARK}</dc:creator>"),
        png(Source=f"{MARK}/figure.py"),
        b"%PDF-1.7\nstream\n" + zlib.compress(f"<xmp>{MARK}</xmp>".encode()) + b"\nendstream",
        f"name\n{MARK}\n".encode(),
    ],
)
def test_a_folder_of_this_machine_is_found(content):
    assert marks_in(content, [MARK]) == [MARK]


@pytest.mark.parametrize("text", [f"{MARK}s", f"x{MARK}", MARK[1:], MARK[:-5]])
def test_other_folders_are_not_taken_for_it(text):
    assert not marks_in(text.encode(), [MARK])


def test_the_dots_of_a_picture_say_nothing():
    assert not marks_in(png() + MARK.encode(), [MARK])


def test_home_and_the_folder_of_the_outputs_are_among_the_marks():
    marks = machine_marks(Path("/somewhere/outputs"))
    assert "/somewhere/outputs" in marks
    assert all(len(mark) > 4 for mark in marks)
