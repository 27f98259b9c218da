"""The kinds of analysis that a project may name: one list, and a file for each.

- `areas`: The kind `areas`: whole authorities, or listed schools, set beside the areas that are statistically like
  theirs.
- `contribution`: The kind `contribution`: a theory of change, and what the evidence allows to be said of each of its
  links.
- `curve`: The specification curve that a project declares: every combination of its choices, estimated and judged
  together.
- `dose`: The kind `dose`: whether participants that had more of the programme changed more.
- `families`: Effects of declared families judged together, over the same areas or sets; what is in none is
  exploratory.
- `lasting`: An analysis made again for the years while the programme ran and for each after its end: does the effect
  last?
- `matched`: The kind `matched`: the treated matched with, or set beside weighted, schools like them before the
  programme.
- `names`: The one list of the kinds of analysis that a project may name.
- `pupils`: The kind `pupils`: pupils in schools, other pupils each year or the same ones twice, in a two-level model.
- `registry`: What each kind of analysis says of itself, and what is done with it.
- `rehearsed`: The primary analysis of a project rehearsed where nothing happened: in years before, or in other areas.
- `series`: The kind `series`: areas followed over years before and from a start on, less the areas that are like
  them.
- `staggered`: The kind `staggered`: participants that start in different years, compared before and after their own
  start.
- `subgroups`: An analysis of any kind made again for each subgroup, and how the effects of the subgroups differ.
- `survey`: The kind `survey`: items and scales of a questionnaire or an audit tool, one or two waves, by school.
- `synthetic`: The kind `synthetic`: one area or few, compared with a weighted average of others that was like them
  before.
- `transitions`: The kind `transitions`: ordered categories before and after, such as inspectors' grades, by arm.
- `variations`: Every combination of the choices that a project declares, each as a project that makes it.
"""
