"""Commands in turn with their CPU and wall seconds, and whether two ways of running notebooks show the same."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What a series of commands took, all their processes together, and why it failed, if it did."""

    name: str
    cpu: float
    wall: float
    n_commands: int
    failure: str
    output: str

    def record(self) -> dict:
        """Return what is written down."""
        return {key: value for key, value in asdict(self).items() if key != "output"}


def measured(name: str, commands: list[list[str]], folder: Path, variables: dict[str, str]) -> Measured:
    """Run commands in turn in a folder and return what they and every process they waited for took."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    failure, output = "", ""
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        output += done.stdout
        if done.returncode and not failure:
            failure = f"exit code {done.returncode}: {_last_line(done.stderr)}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    run = Measured(name, round(cpu, 2), round(time.perf_counter() - begin, 2), len(commands), failure, output)
    print(f"{name}: {run.cpu:.1f} CPU s, {run.wall:.1f} wall s{f', {failure}' if failure else ''}", flush=True)
    return run


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else "nothing was said"


def differing_outputs(kit: Path, loop: Path, slugs: list[str]) -> list[str]:
    """Return the cells whose shown text differs between the kit's notebooks and those of the loop, by name."""
    differing = []
    for slug in slugs:
        for path in sorted((kit / slug / "notebooks").glob("*.ipynb")):
            ours, theirs = shown(path, kit / slug), shown(loop / slug / path.name, loop / slug)
            pairs = zip(ours, theirs, strict=True)
            differing += [f"{slug}/{path.stem}, cell {at}" for at, (one, other) in enumerate(pairs, 1) if one != other]
    return differing


def shown(path: Path, folder: Path) -> list[str]:
    """Return what each code cell of an executed notebook shows as HTML, the folder's own path left out."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(_html(cell)) for cell in cells if cell["cell_type"] == "code"]
    return [text.replace(str(folder), "") for text in texts if text]


def _html(cell: dict) -> list[str]:
    parts = [output.get("data", {}).get("text/html", "") for output in cell["outputs"]]
    return ["".join(part) for part in parts]
