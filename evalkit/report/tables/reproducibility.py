"""The appendix: choices as read, files with their hashes, versions, and how to make the report again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evalkit.core.manifest import Provenance
from evalkit.core.words import listed
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose
from evalkit.report.border.table import Column, Table

# Tables of the appendix: the choices as read, the files with their hashes, the versions.

_LEFT_OUT = ("description", "known_participants")
_SAID_ELSEWHERE = "Given in words in the report."


def parameters(provenance: Provenance) -> ReleasedTable:
    """Return every choice of the project file as it was read, defaults filled in."""
    columns = (Column("parameter", "Key in project.yml"), Column("value", "As read"))
    rows = tuple(_flat(provenance.parameters))
    notes = ("A key that the file leaves out stands here with its default. Lists are numbered from 1.",)
    caption = "Every parameter of this evaluation, as read and checked"
    return release(Table(caption=caption, columns=columns, rows=rows, notes=notes), provenance.threshold)


def _flat(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as text; a list of plain values stands in one line."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value, 1):
            yield from _flat(item, f"{key}.{number}")
    else:
        yield key, _SAID_ELSEWHERE if key.rpartition(".")[2] in _LEFT_OUT and value else _text(value)


def _text(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "not given" if value is None or value == "" else str(value)


def inputs(provenance: Provenance) -> ReleasedTable:
    """Return every file that was read, with the SHA-256 of its content."""
    columns = (Column("file", "File"), Column("sha256", "SHA-256"))
    rows = tuple((entry.path, entry.sha256) for entry in provenance.inputs)
    notes = (
        "Paths are below the project's folder or the folder of data. A file is the same where its SHA-256 is the same.",
    )
    table = Table(caption="Files read, with their SHA-256", columns=columns, rows=rows, notes=notes)
    return release(table, provenance.threshold)


def versions(provenance: Provenance) -> ReleasedTable:
    """Return the commit of the kit, and the versions of everything the numbers rest on."""
    columns = (Column("name", "What"), Column("version", "Version"))
    rows = (
        ("Commit of the kit", provenance.commit),
        ("Linear algebra and machine", provenance.numerics),
        *((name, version) for name, version in provenance.versions.items()),
    )
    table = Table(caption="Commit and versions", columns=columns, rows=rows)
    return release(table, provenance.threshold)


# How to make the report again, what to compare, and what is not the same to the byte.


def made_from(provenance: Provenance) -> Prose:
    """Return what kind of data, how many files, and whether the code was that of a commit."""
    published = (
        "published files of the Department for Education"
        if provenance.data_kind == "real"
        else "a synthetic England that the kit makes from a seed of its own"
    )
    kind = listed([*([published] if _reads_published(provenance) else []), *_own_tables(provenance)])
    changed = (
        ("The code differed from that commit: it cannot be made again from the commit alone.",)
        if "changed" in provenance.commit
        else ()
    )
    return Prose((f"This report was made from {kind}: {len(provenance.inputs)} files, listed below.", *changed))


def _reads_published(provenance: Provenance) -> bool:
    return not _own_tables(provenance) or any(one.path.startswith("data/") for one in provenance.inputs)


def _own_tables(provenance: Provenance) -> list[str]:
    """Return in words that a project has tables of its own, where it has any."""
    data = provenance.parameters.get("data")
    return ["tables of the project's own"] if isinstance(data, dict) and data.get("tables") else []


def run_again(provenance: Provenance) -> ReleasedTable:
    """Return the commands that make the report again, in order, each with what it does."""
    hash_ = provenance.commit.partition(" ")[0]
    data = " --data FOLDER" if provenance.data_kind == "real" and _reads_published(provenance) else ""
    rows = (
        ("1", f"git checkout {hash_}" if hash_ != "unknown" else "(the commit is not known)", "Takes the same code"),
        ("2", "python3 run.py test", "Installs the locked versions, and runs every test"),
        (
            "3",
            f"python3 run.py evalkit run {provenance.slug}{data} --out again",
            "Makes everything again" + (", from the folder with the files listed below" if data else ""),
        ),
        (
            "4",
            f"diff manifest.json again/{provenance.slug}/manifest.json",
            "Compares it with this report's; prints nothing if all is the same",
        ),
    )
    columns = (Column("step", "Step"), Column("command", "Command"), Column("does", "What it does"))
    notes = (
        "The file manifest.json beside this report holds the SHA-256 of every file read and every file made. Where "
        "those of the "
        "files read agree, "
        "those of the files made should; where a file made differs, compare results.json: numbers should agree to "
        "nine digits.",
    )
    table = Table(caption="The report made again", columns=columns, rows=rows, notes=notes)
    return release(table, provenance.threshold)


def randomness(provenance: Provenance) -> Prose:
    """Return what is drawn at random, and how the seed fixes it."""
    participants = provenance.parameters.get("participants")
    chosen = participants if isinstance(participants, Mapping) else {}
    whole = chosen.get("areas") or ()
    drawn = (
        "A permutation over areas goes through every one and draws nothing."
        if len(whole) == 1
        else "Sets that stand in for the treated are drawn area by area in streams named after the areas; a wild "
        "bootstrap (outcomes made again with random signs by area) has the stream “wild bootstrap”."
    )
    if chosen.get("draw"):
        drawn += " The made-up list of schools was drawn in a stream named “participants of” its area."
    return Prose(
        (
            f"The seed is {provenance.seed}. Each thing that is drawn has a stream of random numbers of its own, made "
            "from the seed and its name, so that one more draw of one thing changes no other.",
            drawn,
        )
    )


def not_the_same(provenance: Provenance) -> Prose:
    """Return what is not reproduced to the byte, and why."""
    return Prose(
        (
            "On one machine with the versions above, two runs give the same bytes in every file.",
            "On another kind of processor, or with another library for linear algebra, sums are taken in "
            "another order: "
            "the last digits of results.json and of the tables as CSV may differ, and with them their SHA-256.",
            "With other versions of the libraries that draw, figures, the Word document and the PDFs differ in bytes "
            "though not in what they show; the appendix itself names versions and commit, so it differs by them.",
            "Log files and times on the screen are not part of a report.",
        ),
        "list",
    )
