"""Series and outlines of local authorities.

- `authorities`: England's local authorities since 2002: DfE and GSS codes with the days they held, and what became of
  each.
- `borders`: Which areas share a border, and along how many kilometres, computed from their outlines.
- `boundaries`: Outlines of local authorities, from one or more GeoJSON files put together by code.
- `exclusions`: Exclusions from school by local authority, 2006/07 to 2016/17, from DfE's statistical releases.
- `geojson`: The features of a GeoJSON file of areas, and the closed rings in degrees that each is made of.
- `lait`: Series of local authorities from DfE's Local Authority Interactive Tool (LAIT), and where its measures
  break.
- `ofsted_shares`: The share of each area's schools that Ofsted's latest inspection found good or outstanding, year by
  year.
- `published_cells`: Cells of published tables of areas, as numbers.
- `regions`: The region of an authority, by DfE's code.
- `series`: Areas over periods: one outcome, a row for each area, a column for each period; from a frame or a user's
  own file.
"""
