"""What missing outcomes could do to the result of an analysis, whatever its kind.

- `extremes`: What results that are missing after the programme began could be at worst and at best, as completed
  tables.
- `listed_bounds`: Lee's bounds of listed units, every set in their place having its own: whatever the kind that lists
  them.
- `of_area_series`: What the kinds `series` and `synthetic` give of missing area-years: their effect, of any table of
  areas or schools.
- `of_areas`: What the kind `areas` gives of missing outcomes: its main comparison on any table of results, and
  bounds.
- `of_dose`: What the kind `dose` gives of missing outcomes: the line through participants, of any table of results.
- `of_matched`: What the kind `matched` gives of missing outcomes: its estimate on any table of results, and bounds of
  the change.
- `of_pupils`: What the kind `pupils` gives of missing outcomes: of schools, where pupils are others each year, else
  of pupils.
- `of_staggered`: What the kind `staggered` gives of missing outcomes: its overall effect on any table of results, and
  its bounds.
- `of_transitions`: What the kind `transitions` gives of missing categories: the share that improved, of any table, at
  worst and best.
- `results`: What missing results could do to an analysis of any kind: every outcome that it gives, and what is said
  of them.
- `sample`: What a kind of analysis gives of one outcome so that missing results can be looked at.
- `what_if`: What the estimate would be if missing results were imputed, at worst, at best, or trimmed; and what would
  tip it.
"""
