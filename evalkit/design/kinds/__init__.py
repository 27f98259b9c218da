"""The plans of kinds of analysis, made before outcomes are read.

- `dose`: The plan of an analysis by dose: how much each participant had, which line is drawn, and at what threshold.
- `matched`: The plan of a matched comparison: what schools are matched on, with whom, and by which sets it will be
  judged.
- `staggered`: The plan of an analysis of staggered starts: who starts when, who is compared, and how it will be
  judged.
- `transitions`: The plan of an analysis of ordered categories: which there are, where everyone stood, and who is
  compared.
"""
