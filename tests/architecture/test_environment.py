"""pyproject.toml, requirements.lock and environment.yml say the same, and no direct dependency is under the GPL."""

import importlib.metadata
import importlib.util
import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from source_tree import ROOT

SPEC = importlib.util.spec_from_file_location("make_environment", ROOT / "tools" / "make_environment.py")
make_environment = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_environment)

PYPROJECT = make_environment.pyproject()
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = make_environment.locked_versions(LOCK)
DIRECT = [Requirement(line) for line in make_environment.direct_requirements(PYPROJECT)]
RUNTIME = [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)


def listed(environment: str) -> dict[str, str]:
    """Return the packages that an environment.yml lists under pip, with their versions."""
    return dict(re.findall(r"^ {6}- ([a-z0-9-]+)==(\S+)$", environment, flags=re.MULTILINE))


def test_environment_yml_is_what_the_generator_writes():
    expected = make_environment.environment_text(PYPROJECT, LOCK)
    written = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert written == expected, "type: python tools/make_environment.py"


def test_environment_yml_names_python_and_every_direct_dependency_once():
    written = (ROOT / "environment.yml").read_text(encoding="utf-8")
    names = {make_environment.canonical(requirement.name) for requirement in DIRECT}
    assert listed(written) == {name: LOCKED[name] for name in names}
    assert "      - -r requirements.lock\n" in written
    assert len(re.findall(r"^  - python=\d+\.\d+$", written, flags=re.MULTILINE)) == 1


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_the_locked_version_lies_in_the_range(requirement):
    locked = Version(LOCKED[make_environment.canonical(requirement.name)])
    assert requirement.specifier.contains(locked)


@pytest.mark.parametrize("requirement", RUNTIME, ids=lambda requirement: requirement.name)
def test_a_runtime_dependency_has_a_lower_and_an_upper_bound(requirement):
    assert {operator.operator for operator in requirement.specifier} == {">=", "<"}


def test_every_package_in_the_lock_has_hashes():
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) == len(LOCKED)
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_names_no_index_and_no_local_path():
    lines = [line for line in LOCK.splitlines() if not line.startswith(("#", "    --hash=sha256:"))]
    assert [line for line in lines if not re.match(r"[A-Za-z0-9._-]+==[\w.!+]+( ; [^@]+)? \\$", line)] == []


def licence_of(name: str) -> str:
    """Return what a package says of its licence: the expression, the classifiers and a short licence field."""
    metadata = importlib.metadata.metadata(name)
    field = (metadata.get("License") or "").strip().splitlines()[:1]
    classifiers = [text for text in metadata.get_all("Classifier", []) if text.startswith("License")]
    said = "; ".join([metadata.get("License-Expression") or "", *field, *classifiers])
    return said if said.strip("; ") else licence_file(name)


def licence_file(name: str) -> str:
    """Return the first line of the licence that a package comes with, for one whose metadata name none."""
    found = [path for path in importlib.metadata.files(name) or [] if path.name.upper().startswith("LICEN")]
    return next((path.read_text().strip().splitlines()[0] for path in found), "")


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_no_direct_dependency_is_under_the_gpl(requirement):
    licence = licence_of(requirement.name)
    assert licence.strip("; "), f"{requirement.name} states no licence"
    assert not COPYLEFT.search(licence), licence


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-or-later",
        "AGPL-3.0",
        "GNU General Public License v2 (GPLv2)",
        "GNU Affero General Public License v3",
        "GPLv2+",
    ],
)
def test_a_copyleft_licence_is_found(licence):
    assert COPYLEFT.search(licence)


@pytest.mark.parametrize(
    "licence", ["MIT", "BSD-3-Clause", "Apache-2.0", "LGPL-3.0", "GNU Lesser General Public License v3"]
)
def test_a_permissive_licence_is_not(licence):
    assert not COPYLEFT.search(licence)
