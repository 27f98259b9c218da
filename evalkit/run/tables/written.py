"""The answer to a command, printed or written: on the terminal, as JSON, as a page, for Word, as PDF or as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from evalkit.core.plain import json_text
from evalkit.core.words import csv_safe
from evalkit.data.locks import write_whole
from evalkit.run.commands.options import KINDS
from evalkit.run.console import Progress
from evalkit.run.processes.failure import environment_faults
from evalkit.run.typed_paths import out_file

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.report.border.parts import Document
    from evalkit.run.commands.options import Given
    from evalkit.run.processes.executors import ExecutorChoice

Question = TypeVar("Question")


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes: to a file, to standard output as text or JSON, with or without progress."""

    file: Path | None = None
    is_json: bool = False
    is_quiet: bool = False

    @property
    def progress(self) -> Progress:
        """Return what says on standard error how far a command has come."""
        return Progress(is_quiet=self.is_quiet)


@dataclass(frozen=True, slots=True)
class TableRequest(Generic[Question]):
    """A command line whose options hold together: what is asked, where the answer goes, and where it is worked out."""

    question: Question
    output: Output
    where: ExecutorChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer:
    """What a command has to tell, each form made only when it is asked for.

    Attributes
    ----------
    document : returns the answer as a document, with figures where it is given True; a terminal has none
    csv : returns the main table as CSV, released
    record : returns everything as plain data, released
    fewest : typed counts of people from 1 to under this are withheld in sentences; 0 withholds nothing
    """

    document: Callable[[bool], Document]
    csv: Callable[[], str]
    record: Callable[[], object]
    fewest: int = 0


def output_of(given: Given, table: Path, kinds: Sequence[str] = KINDS) -> Output:
    """Return where an answer goes; raise `InputError` where no such file could be written, or it is the table read."""
    return Output(out_file(given.out, kinds, table), given.json, given.quiet)


def tell(answer: CommandAnswer, output: Output) -> None:
    """Write the file that was asked for, whole or not at all, and then print the answer."""
    if output.file is not None:
        with environment_faults(f"writing {output.file.name}"):
            write_whole(output.file, content_of(answer, output.file.suffix.lower()))
        output.progress.say(f"written: {output.file}")
    if output.is_json:
        print(json_text(answer.record()))
    elif output.file is None or not output.is_quiet:
        from evalkit.report.documents.terminal import terminal_text

        print(terminal_text(_document(answer, has_figures=False)))


def content_of(answer: CommandAnswer, kind: str) -> bytes:
    """Return an answer as a file of a kind, such as `.pdf`."""
    if kind == ".csv":
        return answer.csv().encode()
    if kind == ".json":
        return (json_text(answer.record()) + "\n").encode()
    document = _document(answer, has_figures=True)
    if kind == ".html":
        from evalkit.report.documents.html import report_html

        return report_html(document).encode()
    if kind == ".docx":
        from evalkit.report.documents.word import word_report

        return word_report(document)
    from evalkit.report.documents.pdf import pdf_report

    return pdf_report(document)


def _document(answer: CommandAnswer, has_figures: bool) -> Document:
    """Return the answer as it may leave: the one place through which every drawing of it goes."""
    from evalkit.report.border.parts import released_document

    return released_document(answer.document(has_figures), answer.fewest)


# A table of ids and numbers as CSV that no spreadsheet runs and no terminal obeys.


def frame_csv(frame: pd.DataFrame, has_index: bool = True) -> str:
    """Return a table as CSV, its index first; texts that begin like a formula stand behind an apostrophe."""
    import pandas as pd  # a command that prints alone needs none of it here

    table = frame.reset_index() if has_index else frame
    safe = pd.DataFrame({csv_safe(str(name)): _safe(table[name]) for name in table})
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _safe(column: pd.Series) -> pd.Series:
    if column.dtype.kind in "biuf":
        return column
    return column.astype(object).map(lambda cell: csv_safe(cell) if isinstance(cell, str) else cell)
