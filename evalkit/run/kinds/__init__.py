"""The kinds of analysis that a project may name: one list, and a file for each.

- `areas`: The kind `areas`: whole authorities, or listed schools, set beside the areas that are statistically like
  theirs.
- `families`: Effects of declared families judged together, over the same areas or sets; what is in none is
  exploratory.
- `matched`: The kind `matched`: the treated matched with, or set beside weighted, schools like them before the
  programme.
- `registry`: The kinds of analysis that a project may name: the one list of them, and what each says of itself.
- `staggered`: The kind `staggered`: participants that start in different years, compared before and after their own
  start.
- `subgroups`: An analysis of any kind made again for each subgroup, and how the effects of the subgroups differ.
"""
