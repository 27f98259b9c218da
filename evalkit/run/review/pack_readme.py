"""The README of a pack, in the order that the Data and Code Availability Standard asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from evalkit.core.words import counted, listed
from evalkit.run.review.data_statement import DataFile, fetch_lines, told
from evalkit.run.review.finished import CHECKSUMS, FinishedRun

_STANDARD: Final = "https://datacodestandard.org/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What the README of a pack tells: the run, what does not travel, its code, and what of it may leave."""

    run: FinishedRun
    title: str
    data: tuple[DataFile, ...]
    code: dict[str, str]
    n_withheld: int
    outputs: tuple[str, ...]
    notebooks_left: tuple[str, ...] = ()


def readme(packed: Packed) -> str:
    """Return the README of a pack as Markdown."""
    parts = (_overview, _data, _code, _software, _steps, _outputs)
    return "\n".join(line for part in parts for line in (*part(packed), "")).rstrip() + "\n"


def _overview(packed: Packed) -> Iterator[str]:
    kind = "made-up schools (the synthetic England)" if packed.run.is_synthetic else "real schools"
    yield f"# {packed.title}"
    yield ""
    yield f"What is needed to make the report of the project `{packed.run.slug}` again, and to check it."
    yield f"The report is of {kind}."
    yield f"The archive follows the Data and Code Availability Standard (<{_STANDARD}>). It holds no rows of data."
    yield ""
    yield "| folder or file | what it is |"
    yield "|---|---|"
    yield "| `project/` | every choice of the evaluation, in words a reviewer can read |"
    yield "| `run/` | the manifest of the run, and the outputs that may leave |"
    yield "| `notebooks/` | the notebooks that were run |"
    yield "| `code/` | the evaluation kit as a wheel, where it could be made |"
    yield "| `requirements.lock`, `environment.yml` | the packages, each with its SHA-256 |"
    yield "| `data.json` | what of this README's list of data a program reads |"
    yield f"| `{CHECKSUMS}` | the SHA-256 of every other file |"


def _data(packed: Packed) -> Iterator[str]:
    yield "## Data: what they are, and how to get them"
    yield ""
    if not packed.data:
        yield "No file is needed that is not in this archive."
        return
    yield f"{counted(len(packed.data), 'file')} {'is' if len(packed.data) == 1 else 'are'} needed that do not travel."
    yield "Put them below one folder, under any names: they are found by their SHA-256."
    lines = fetch_lines(packed.data)
    if lines:
        yield ""
        yield "What is published now may be a later edition; `evalkit verify` says so. To fetch what can be fetched:"
        yield ""
        yield from (f"    {line} --out data" for line in lines)
    yield ""
    for file in packed.data:
        yield from told(file)


def _code(packed: Packed) -> Iterator[str]:
    code = packed.code
    yield "## Code"
    yield ""
    yield f"evalkit {code['kit']}, commit `{code['commit']}`, SHA-256 of its files `{code['code'] or 'not recorded'}`."
    if code["wheel"]:
        yield f"`{code['wheel']}` is that code. It is under the licence in `LICENSE`."
    else:
        yield "The code that made the run is not the code that made this archive, so that no wheel is in it."
    if packed.notebooks_left:
        yield f"Left out, as they hold outputs that may be rows of data: {listed(list(packed.notebooks_left))}."


def _software(packed: Packed) -> Iterator[str]:
    versions = packed.run.manifest["versions"]
    yield "## Software and machine"
    yield ""
    yield f"Python {versions.get('python', '')}; packages as in `requirements.lock`."
    yield f"Linear algebra and machine of the run: {packed.run.manifest.get('numerics') or 'not recorded'}."
    yield f"Every random draw starts from the seed {packed.run.manifest['seed']}."


def _steps(packed: Packed) -> Iterator[str]:
    yield "## How to check it"
    yield ""
    data = " --data data" if packed.data and not packed.run.is_synthetic else ""
    if packed.code["wheel"]:
        yield "With Python 3.11 or later, in the folder in which this archive was unpacked:"
        yield ""
        yield "    python3 -m venv environment"
        yield "    environment/bin/python -m pip install --require-hashes -r requirements.lock"
        yield f"    environment/bin/python -m pip install --no-deps {packed.code['wheel']}"
        yield f"    environment/bin/evalkit verify .{data}"
    else:
        yield f"With evalkit {packed.code['kit']} (commit `{packed.code['commit']}`):"
        yield ""
        yield f"    evalkit verify .{data}"
    yield ""
    yield "It makes the run again in a folder of its own, compares every number at 1e-9 of its size, and ends with"
    yield "the exit code 0 where all are the same. `--fresh` does the installation by itself."


def _outputs(packed: Packed) -> Iterator[str]:
    yield "## Outputs"
    yield ""
    if packed.n_withheld:
        yield f"{counted(packed.n_withheld, 'number')} withheld by disclosure control."
    yield f"{counted(len(packed.outputs), 'file')} in `run/`: the report, results.json, tables as CSV, figures as PNG."
    yield ""
    yield from (f"- `run/{name}`" for name in packed.outputs)
