"""The results of kinds of analysis, and what could be wrong with them.

- `matched`: The results of a matched comparison: estimates and their inference, balance, sensitivity, what could be
  wrong.
- `staggered`: Results of an analysis of staggered starts: six estimators, what judges them, and what could be wrong.
- `staggered_checks`: What could be wrong with the effect of an analysis of staggered starts.
- `staggered_effects`: Effects of an analysis of staggered starts in the form that every kind gives them, and what
  they are effects of.
- `staggered_judged`: The overall effect of staggered starts on any outcomes by unit and year, as an analysis is
  quoted by it.
"""
