"""Outputs of several projects on the synthetic England, evaluated in this process without documents or notebooks."""

from dataclasses import dataclass
from pathlib import Path

from evalkit.data.published.sources import find_sources
from evalkit.report.documents.contents import results_json
from evalkit.report.documents.released import results_record
from evalkit.run.notebooks.session import open_evaluation
from evalkit.run.outputs.manifest import make_manifest, manifest_bytes

ROOT = Path(__file__).resolve().parents[1]
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"


@dataclass(frozen=True)
class Area:
    """A made-up programme in one area."""

    slug: str
    code: int
    place: str
    theme: str


AREAS = (
    Area("ash-reading", 340, "Ash", "literacy"),
    Area("beck-reading", 806, "Beck", "literacy"),
    Area("elm-leaders", 856, "Elm", ""),
)


def write_outputs(folder: Path, data: Path) -> Path:
    """Evaluate every area on the data and write what a portfolio reads of a finished run."""
    sources = find_sources(data)
    for area in AREAS:
        files = folder / ".projects" / area.slug
        files.mkdir(parents=True)
        (files / "project.yml").write_text(project_text(area), encoding="utf-8")
        evaluation = open_evaluation(str(files / "project.yml"), str(data))
        results = results_json(results_record(evaluation))
        outputs = {"results.json": results, "report.html": f"<title>{area.place}</title>".encode()}
        made = make_manifest(evaluation.project, sources, (), outputs)
        (folder / area.slug).mkdir()
        for name, content in {**outputs, "manifest.json": manifest_bytes(made)}.items():
            (folder / area.slug / name).write_bytes(content)
    return folder


ANALYSES = "analyses:\n  - name: main\n    kind: areas\n    primary: true\n"


def project_text(area: Area) -> str:
    """Return the Knowsley project with another area, name and theme, for reading alone."""
    text = KNOWSLEY.read_text(encoding="utf-8")
    before, _, after = text.partition("outcomes:\n")
    _, _, rest = after.partition("pool:\n")
    text = f"{before}outcomes:\n  - measure: READPROG\n    role: primary\n\n{ANALYSES}\npool:\n{rest}"
    for old, new in (
        ("slug: knowsley-ssif", f"slug: {area.slug}"),
        ("areas: [340]", f"areas: [{area.code}]"),
        ("place: Knowsley", f"place: {area.place}"),
        ("theme: literacy", f'theme: "{area.theme}"'),
        ("claims: claims.yml", ""),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
