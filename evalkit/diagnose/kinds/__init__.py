"""The results of kinds of analysis, and what could be wrong with them.

- `matched`: The results of a matched comparison: estimates and their inference, balance, sensitivity, what could be
  wrong.
- `staggered`: Results of an analysis of staggered starts: six estimators, what judges them, and what could be wrong.
"""
