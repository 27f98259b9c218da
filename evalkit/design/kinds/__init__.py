"""The plans of kinds of analysis, made before outcomes are read.

- `area_series`: One outcome of areas by year, as a project compares them: who takes part from when, and who is like
  whom.
- `contribution`: A theory of change as a project file states it: nodes, links with their evidence and rivals, and a
  status matrix.
- `dose`: The plan of an analysis by dose: how much each participant had, which line is drawn, and at what threshold.
- `matched`: The plan of a matched comparison: what schools are matched on, with whom, and by which sets it will be
  judged.
- `pupils`: The plan of an analysis of pupils in schools: who is compared, how the effect will be modelled and judged.
- `series`: The plan of a comparative interrupted time series: which areas are followed, and less the mean of which
  others.
- `staggered`: The plan of an analysis of staggered starts: who starts when, who is compared, and how it will be
  judged.
- `survey`: The plan of a survey: its items and scales, its waves, and of which schools the change is to speak.
- `synthetic`: The plan of a synthetic control: which areas are followed from when, which may be donors, and how it is
  judged.
- `transitions`: The plan of an analysis of ordered categories: which there are, where everyone stood, and who is
  compared.
"""
