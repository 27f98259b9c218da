"""What each kind of analysis shows in documents, and where that is found.

- `areas`: What documents and results.json show of an analysis of the kind `areas`.
- `contribution`: What documents show of a theory of change: the drawing, its links with evidence and rivals, the
  bounded story.
- `dose`: What documents show of an analysis by dose: who had how much, the line, and what stands against those
  outside.
- `kind_module`: The module that shows a kind of analysis: what it may hold, and how it is found.
- `locked`: What is locked of an analysis whose kind has no words of its own for its plan, drawn from the plan's
  record.
- `matched`: What documents show of a matched comparison: who was matched with whom, the answer, what it withstands.
- `pupils`: What documents show of an analysis of pupils in schools; nothing that rests on fewer than ten pupils is
  told.
- `series`: What documents show of an interrupted time series: the gap with its lines, the effect by year, what stands
  beside.
- `staggered`: What documents show of an analysis of staggered starts: who starts when, the effect by time, six
  estimators.
- `survey`: What documents show of a survey: who answered, what, how reliable its scales are, and what became
  otherwise.
- `synthetic`: What documents show of a synthetic control: who was followed, the series, the gap among placebos, how
  it holds.
- `transitions`: What documents show of ordered categories before and after: the matrix of each arm, and what differs
  between them.
"""
