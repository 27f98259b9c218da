"""How `evalkit run` ends: the answer of a report in a sentence, where it is, and what to type next."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from evalkit.core.words import cleaned
from evalkit.run.many.task import RunResult
from evalkit.run.outputs.folder import MANIFEST

_SUMMARY: Final = Path("notebooks", "0_summary.ipynb")
_MARK: Final = 'class="evalkit evalkit-headline"'
_SENTENCE_ENDS: Final = re.compile(r"(?<!\bSt\.)(?<=[.!?])\s")


def answer_of(folder: Path) -> str:
    """Return the first sentence of a report's headline, as its summary shows it; empty where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        notebook = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
        shown = (output["data"] for cell in notebook["cells"] for output in cell.get("outputs", ()) if "data" in output)
        texts = (data["text/plain"] for data in shown if _MARK in "".join(data.get("text/html", "")))
        return _SENTENCE_ENDS.split(cleaned("".join(next(texts, ""))).strip(), maxsplit=1)[0]
    return ""


def closing_lines(outcomes: Sequence[RunResult], again: Mapping[str, str]) -> Iterator[str]:
    """Yield what is said at the end of a run, after where its reports are: the answer of one, and what to do next."""
    made = [outcome for outcome in outcomes if outcome.report is not None]
    if len(outcomes) == 1 and made:
        folder = made[0].report.parent if made[0].report else Path()
        if answer := answer_of(folder):
            yield f"{answer} (These are made-up schools.)" if _is_made_up(folder) else answer
        yield f"Open the report in a browser; `{_lab(made[0].slug, again)}` opens its notebooks."
        return
    if any(outcome.status in ("failed", "interrupted", "not begun") for outcome in outcomes):
        yield "The same command makes what is missing, and leaves alone what is current. `evalkit status` says which."
    elif len(made) > 1:
        yield "`evalkit portfolio` sets the reports side by side on one page."


def _is_made_up(folder: Path) -> bool:
    with suppress(OSError, ValueError, RecursionError, AttributeError):
        return bool(json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("data_kind") == "synthetic")
    return False


def _lab(slug: str, again: Mapping[str, str]) -> str:
    words: list[Any] = shlex.split(again.get(slug, f"evalkit run {slug}"))
    kept = [word for at, word in enumerate(words) if word != "--out" and words[at - 1] != "--out"]
    return shlex.join(["evalkit", "lab", *kept[2:]])
