"""What form a file has, by its first bytes; its name counts only where these do not tell."""

from __future__ import annotations

from typing import Final, Literal

from evalkit.core.errors import DataError
from evalkit.data.files.members import Member, told

TableForm = Literal["csv", "parquet", "workbook", "geojson", "other"]
_DOCUMENTS: Final = frozenset(
    {".md", ".pdf", ".docx", ".doc", ".html", ".htm", ".xml", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".log", ".rst"}
    | {".py", ".ipynb", ".r", ".rmd", ".do", ".sas", ".sql", ".sh", ".css", ".js", ".tex", ".lock", ".sha256"}
    | {".png", ".jpg", ".jpeg", ".gif", ".svg", ".db", ".sqlite", ".rds", ".rdata", ".dta", ".sav", ".license"}
)
"""Names of files that are no table, whatever their text looks like."""
_BINARY: Final = ((b"%PDF", "other"), (b"\x89PNG", "other"), (b"PAR1", "parquet"), (b"PK\x03\x04", "workbook"),
                  (b"\xd0\xcf\x11\xe0", "workbook"))  # fmt: skip
_BOOKS: Final = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb")
_PAGES: Final = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<error")
_N_BYTES: Final = 4096


def form_of(member: Member) -> TableForm:
    """Return what form a file has; raise `DataError` where it is not what its name says, or empty."""
    with told(member.name), member.open() as stream:
        start = stream.read(_N_BYTES)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise DataError(f"{member.name}: the file is empty. Download it again.")
    if member.suffix in _DOCUMENTS:
        return "other"
    for signature, form in _BINARY:
        if start.startswith(signature):
            return form  # type: ignore[return-value]  # one of the forms
    _require_no_page(member, text)
    if member.suffix in (*_BOOKS, ".parquet"):
        raise DataError(f"{member.name}: the file is not what its name says, or is damaged. Download it again.")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(
            f"{member.name}: line 1: the file is saved as UTF-16. Save it as UTF-8 (in a spreadsheet program: "
            "'CSV UTF-8')."
        )
    if member.suffix in (".json", ".geojson") or text.startswith((b"{", b"[")):
        return "geojson"
    return "csv"


def _require_no_page(member: Member, text: bytes) -> None:
    if text.lower().startswith(_PAGES):
        raise DataError(
            f"{member.name}: line 1: the file is a web page, not a table: the address answered with a page, such as an "
            "error or a form to log in. Download it again, and look at it in a text editor."
        )
