"""Series and outlines of local authorities.

- `boundaries`: Outlines of local authorities, from a GeoJSON file in degrees of longitude and latitude, and their
  regions.
- `exclusions`: Exclusions from school by local authority, 2006/07 to 2016/17, from DfE's statistical releases.
- `lait`: Series of local authorities from DfE's Local Authority Interactive Tool (LAIT), and where its measures
  break.
- `ofsted_shares`: The share of each area's schools that Ofsted's latest inspection found good or outstanding, year by
  year.
- `series`: Areas over periods: one outcome, a row for each area, a column for each period; from a frame or a user's
  own file.
"""
