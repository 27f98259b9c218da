"""The results of kinds of analysis, and what could be wrong with them.

- `area_checks`: What every analysis of areas over years says of its outcome: where it was read, and what changed in
  it.
- `contribution`: Verdicts on the links and chains of a theory of change, by fixed rules from the evidence alone.
- `dose`: Results of an analysis by dose: the line among participants, and what stands against those outside.
- `dose_checks`: What could be wrong with a line by dose, and its effects in the form that every kind gives them.
- `matched`: The results of a matched comparison: estimates and their inference, balance, sensitivity, what could be
  wrong.
- `matched_conversions`: Schools that changed legal identity in a matched comparison, and what the estimate is without
  and given them.
- `matched_violations`: What a matched comparison would bear, were trends not parallel: bounds by permutation, and
  trends it could see.
- `pupils`: Results of an analysis of pupils in schools: the two-level model, schools' means and what judges them.
- `pupils_checks`: What could be wrong with the effect of an analysis of pupils in schools.
- `pupils_counts`: Counts of pupils beside an effect: of each arm and year, lost from a wave to the next, and in small
  schools.
- `pupils_effects`: Effects of an analysis of pupils in the form that every kind gives them, in standard deviations of
  pupils too.
- `series`: Results of a comparative interrupted time series: the effect by year, its place among areas, and what
  stands beside.
- `series_checks`: What could be wrong with the effect of a comparative interrupted time series, and the effects as
  every kind has them.
- `series_made`: The series of one outcome as a comparative interrupted time series is fitted to it: areas and years
  that are kept.
- `staggered`: Results of an analysis of staggered starts: six estimators, what judges them, and what could be wrong.
- `staggered_checks`: What could be wrong with the effect of an analysis of staggered starts.
- `staggered_effects`: Effects of an analysis of staggered starts in the form that every kind gives them, and what
  they are effects of.
- `staggered_judged`: The overall effect of staggered starts on any outcomes by unit and year, as an analysis is
  quoted by it.
- `survey`: Results of a survey: who answered, what was answered, how reliable its scales are, and what became
  otherwise.
- `synthetic`: Results of an analysis by synthetic control: the effect of every outcome, who takes the treated areas'
  place.
- `synthetic_checks`: Effects of an analysis by synthetic control in the form that every kind gives them, and what
  could be wrong.
- `transitions`: Results of an analysis of ordered categories: who moved where in each arm, and what that says of the
  programme.
"""
