"""`evalkit verify`: makes a finished run again from its manifest, and says what is the same and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from evalkit.core.errors import InputError
from evalkit.core.plain import plain
from evalkit.core.words import counted, listed
from evalkit.run.outputs.content_key import project_slug
from evalkit.run.processes.failure import environment_faults
from evalkit.run.processes.temporary import REVIEW, private_folder
from evalkit.run.project.workspace import project_file
from evalkit.run.review.again import Kit, Remade, kit_afresh, kit_here, make_again
from evalkit.run.review.differences import (
    TOLERANCE,
    MovedEffect,
    OutputDifference,
    moved_effects,
    output_differences,
    results_in,
)
from evalkit.run.review.finished import FinishedRun, finished_run, refuse_within
from evalkit.run.review.materials import FoundFile, find_materials, lay_out
from evalkit.run.tables.written import Output
from evalkit.run.typed_paths import data_folder, out_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given
    from evalkit.run.console import Progress

VerifyState = Literal["same", "same numbers", "differs", "not made"]
KINDS: Final = (".html", ".docx", ".pdf", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Something that a manifest records of code, packages or machine and that is another now."""

    what: str
    then: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What became of a run made again.

    Attributes
    ----------
    run : the run as it was named; `slug` its project
    state : `same` to the byte; `same numbers` within the tolerance; `differs`; `not made`, `failure` saying why
    told : which code and packages made it again
    files : every file it was made from, as it is found now
    touched : outputs of the run that are no longer as the run left them
    n_same : outputs that are the same to the byte; `outputs` are those that are not
    effects : every number of an effect that moved, and how far
    recorded : what of code, packages and machine is another than the manifest records
    """

    run: str
    slug: str
    state: VerifyState
    told: str
    files: tuple[FoundFile, ...]
    touched: tuple[str, ...] = ()
    n_same: int = 0
    outputs: tuple[OutputDifference, ...] = ()
    effects: tuple[MovedEffect, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    failure: str = ""

    @property
    def exit_code(self) -> int:
        """0 where every number is the same and made of the same files, else 1."""
        return 0 if self.state in ("same", "same numbers") else 1

    @property
    def moved(self) -> tuple[FoundFile, ...]:
        """The files that are not there as the run read them."""
        return tuple(one for one in self.files if not one.is_same)


def verify_command(given: Given) -> int:
    """Make the run again, say what is the same, and return 0 where all is, 1 where something is not."""
    from evalkit.run.review.verify_page import verify_answer
    from evalkit.run.tables.written import tell

    output = Output(out_file(given.out, KINDS, Path(given.run)), given.json, given.quiet)
    own = project_file(given.project) if given.project is not None else None
    data = data_folder(given.data)
    with environment_faults("verifying"), private_folder(REVIEW) as scratch:
        run = finished_run(given.run, scratch)
        refuse_within(run, output.file)
        _refuse_other(run, own)
        found = verification(run, own, data, scratch, output.progress, is_fresh=given.fresh)
    tell(verify_answer(found), output)
    return found.exit_code


def _refuse_other(run: FinishedRun, own: Path | None) -> None:
    if own is not None and (slug := project_slug(own)) != run.slug:
        raise InputError(f"--project {own} is the project '{slug}', and {run.named} is a run of '{run.slug}'.")


def verification(
    run: FinishedRun,
    own: Path | None,
    data: Path | None,
    scratch: Path,
    progress: Progress,
    *,
    is_fresh: bool = False,
) -> Verification:
    """Return what becomes of a run made again in `scratch` from the files found in a project and a data folder.

    Nothing of the run itself is written to. Raises what `find_materials` and `kit_afresh` do.
    """
    with progress.step(f"{run.slug}: finding what the run was made from"):
        materials = find_materials(run, own, data)
    missing = materials.named("missing")
    if missing:
        said = f"{counted(len(missing), 'file')} the run was made from cannot be found: {listed(missing)}."
        return _not_made(run, materials.files, said)
    space = lay_out(run, materials, scratch / "space")
    kit = kit_afresh(run, scratch, progress) if is_fresh else kit_here()
    remade = make_again(run, space, kit, progress)
    if remade.folder is None:
        return _not_made(run, materials.files, remade.failure, kit)
    return _compared(run, materials.files, remade, kit)


def _not_made(run: FinishedRun, files: tuple[FoundFile, ...], failure: str, kit: Kit | None = None) -> Verification:
    return Verification(
        run=run.named,
        slug=run.slug,
        state="not made",
        told=kit.told if kit else "",
        files=files,
        touched=run.changed_since(),
        failure=failure,
    )


def _compared(run: FinishedRun, files: tuple[FoundFile, ...], remade: Remade, kit: Kit) -> Verification:
    assert remade.folder is not None
    made = remade.manifest
    outputs = made["outputs"]
    assert isinstance(outputs, dict)
    differing = output_differences(run, remade.folder, outputs)
    effects = moved_effects(run.results(), results_in(remade.folder), only_told=run.withholds)
    touched = run.changed_since()
    is_of_others = any(not one.is_same and one.state != "from the manifest" for one in files)
    is_same = not (differing or touched or is_of_others)
    is_within = not (touched or is_of_others or effects) and all(one.is_within for one in differing)
    return Verification(
        run=run.named,
        slug=run.slug,
        state="same" if is_same else "same numbers" if is_within else "differs",
        told=kit.told,
        files=files,
        touched=touched,
        n_same=sum(outputs.get(name) == digest for name, digest in run.outputs.items()),
        outputs=differing,
        effects=effects,
        recorded=tuple(recorded_differences(run.manifest, made)),
    )


def recorded_differences(then: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Recorded]:
    """Yield what two manifests record of code, notebooks, packages and machine and that is not the same in both."""
    for key, what in (("commit", "commit of the kit"), ("code", "code of the kit"), ("numerics", "numerics")):
        one, other = str(then.get(key) or "not recorded"), str(now.get(key) or "not recorded")
        if one != other:
            yield Recorded(what=what, then=_short(one), now=_short(other))
    for key, what in (("versions", ""), ("notebooks", "notebook ")):
        one_of, other_of = _mapping(then.get(key)), _mapping(now.get(key))
        if not one_of:
            continue
        for name in sorted({*one_of, *other_of}):
            one, other = one_of.get(name, "none"), other_of.get(name, "none")
            if one != other:
                yield Recorded(what=f"{what}{name}", then=_short(one), now=_short(other))


def _mapping(value: object) -> dict[str, str]:
    return {str(key): str(one) for key, one in value.items()} if isinstance(value, Mapping) else {}


def _short(text: str) -> str:
    """Return a hash by its first digits, any other text as it is."""
    head, mark, rest = text.partition(" ")
    is_hash = len(head) >= 40 and all(sign in "0123456789abcdef" for sign in head)
    return f"{head[:12]}{mark}{rest}" if is_hash else text


def verification_record(found: Verification) -> dict[str, object]:
    """Return a verification as plain data."""
    return {
        "schema_version": 1,
        "run": found.run,
        "project": found.slug,
        "state": found.state,
        "same": found.exit_code == 0,
        "tolerance": TOLERANCE,
        "made_by": found.told,
        "failure": found.failure,
        "files": [{"path": one.path, "state": one.state} for one in found.files],
        "outputs_touched": list(found.touched),
        "outputs": {"n_same": found.n_same, "differing": plain(found.outputs)},
        "effects": [_effect_record(one) for one in found.effects],
        "recorded": plain(found.recorded),
    }


def _effect_record(moved: MovedEffect) -> dict[str, object]:
    return {
        "analysis": moved.analysis,
        "outcome": moved.outcome,
        "design": moved.design,
        "period": moved.period,
        "inference": moved.inference,
        "main": moved.is_main,
        "number": moved.number,
        "before": moved.before,
        "now": moved.now,
    }
