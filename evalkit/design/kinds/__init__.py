"""The plans of kinds of analysis, made before outcomes are read.

- `matched`: The plan of a matched comparison: what schools are matched on, with whom, and by which sets it will be
  judged.
- `pupils`: The plan of an analysis of pupils in schools: who is compared, how the effect will be modelled and judged.
- `staggered`: The plan of an analysis of staggered starts: who starts when, who is compared, and how it will be
  judged.
"""
