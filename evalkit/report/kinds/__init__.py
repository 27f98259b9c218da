"""What each kind of analysis shows in documents, and where that is found.

- `areas`: What documents and results.json show of an analysis of the kind `areas`.
- `dose`: What documents show of an analysis by dose: who had how much, the line, and what stands against those
  outside.
- `kind_module`: The module that shows a kind of analysis: what it may hold, and how it is found.
- `matched`: What documents show of a matched comparison: who was matched with whom, the answer, what it withstands.
- `staggered`: What documents show of an analysis of staggered starts: who starts when, the effect by time, six
  estimators.
- `transitions`: What documents show of ordered categories before and after: the matrix of each arm, and what differs
  between them.
"""
