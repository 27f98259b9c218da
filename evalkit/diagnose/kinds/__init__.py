"""The results of kinds of analysis, and what could be wrong with them.

- `dose`: Results of an analysis by dose: the line among participants, and what stands against those outside.
- `dose_checks`: What could be wrong with a line by dose, and its effects in the form that every kind gives them.
- `matched`: The results of a matched comparison: estimates and their inference, balance, sensitivity, what could be
  wrong.
- `staggered`: Results of an analysis of staggered starts: six estimators, what judges them, and what could be wrong.
- `staggered_checks`: What could be wrong with the effect of an analysis of staggered starts.
- `staggered_effects`: Effects of an analysis of staggered starts in the form that every kind gives them, and what
  they are effects of.
- `transitions`: Results of an analysis of ordered categories: who moved where in each arm, and what that says of the
  programme.
"""
