"""The kinds of analysis that a project may name: one list, and a file for each.

- `areas`: The kind `areas`: whole authorities, or listed schools, set beside the areas that are statistically like
  theirs.
- `dose`: The kind `dose`: whether participants that had more of the programme changed more.
- `matched`: The kind `matched`: the treated matched with, or set beside weighted, schools like them before the
  programme.
- `registry`: The kinds of analysis that a project may name: the one list of them, and what each says of itself.
- `staggered`: The kind `staggered`: participants that start in different years, compared before and after their own
  start.
- `transitions`: The kind `transitions`: ordered categories before and after, such as inspectors' grades, by arm.
"""
