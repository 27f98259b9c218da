"""What missing outcomes could do to the result of an analysis, whatever its kind.

- `of_areas`: What the kind `areas` gives of missing outcomes: its main comparison on any table of results, and
  bounds.
- `of_matched`: What the kind `matched` gives of missing outcomes: its estimate on any table of results, and bounds of
  the change.
- `of_staggered`: What the kind `staggered` gives of missing outcomes: its overall effect on any table of results.
- `results`: What missing results could do to an analysis of any kind: every outcome that it gives, and what is said
  of them.
- `sample`: What a kind of analysis gives of one outcome so that missing results can be looked at.
- `what_if`: What the estimate would be if missing results were imputed, at worst, at best, or trimmed; and what would
  tip it.
"""
