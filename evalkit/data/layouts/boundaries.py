"""Outlines of local authorities as the Office for National Statistics publishes them, of any layer."""

from __future__ import annotations

from typing import Final

from evalkit.core.errors import DataError
from evalkit.data.areas.authorities import code_of_gss
from evalkit.data.areas.boundaries import CODE_NAMES, gss_of_feature
from evalkit.data.areas.geojson import features_in, properties_of
from evalkit.data.files.layout import Contents, Field, Layout
from evalkit.data.files.raw_table import Peek, RawTable

_FIELDS: Final = (
    Field(
        name="UTLA22CD", meaning="GSS code of the area; the name changes with layer and year.", form="code",
        is_required=False, also=("LAD24CD", "CTYUA23CD"),
    ),
    Field(
        name="UTLA22NM", meaning="Name of the area.", is_required=False, also=("LAD24NM", "CTYUA23NM"),
    ),
    Field(
        name="code", meaning="DfE's three-digit code, in a file made for it.", form="area", is_required=False,
        also=CODE_NAMES[1:],
    ),
)  # fmt: skip


def _fits(peek: Peek) -> bool:
    """Return whether a GeoJSON file has areas: a code of the ONS, DfE's code, or a name."""
    names = {column.casefold() for column in peek.columns}
    is_named = any(name.endswith(("cd", "nm")) or name in (*CODE_NAMES, "name") for name in names)
    return peek.form == "geojson" and is_named


def _contents(table: RawTable) -> Contents:
    """Return which areas a layer has: GSS codes of authorities, or DfE's codes in a file without any."""
    features = features_in(table.json, table.name)
    properties = [properties_of(feature) for feature in features]
    gss = {found for one in properties if (found := gss_of_feature(one)) and code_of_gss(found) is not None}
    codes = {str(one[key]) for one in properties for key in one if key.casefold() in CODE_NAMES}
    if not gss and not codes:
        raise DataError(f"{table.name}: no feature is a local authority of England by a code of the ONS or of DfE.")
    return Contents(rows=len(features), areas=tuple(sorted(gss or codes)), levels=("local authority",))


LAYOUTS: Final = (
    Layout(
        name="boundaries", title="Outlines of local authorities", publisher="ONS", fields=_FIELDS, fits=_fits,
        contents=_contents, reader="read_boundaries",
        seen="upper tier 2022 and districts December 2024, simplified",
    ),
)  # fmt: skip
