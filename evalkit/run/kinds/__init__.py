"""The kinds of analysis that a project may name: one list, and a file for each.

- `areas`: The kind `areas`: whole authorities, or listed schools, set beside the areas that are statistically like
  theirs.
- `registry`: The kinds of analysis that a project may name: the one list of them, and what each says of itself.
"""
