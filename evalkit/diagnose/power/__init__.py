"""What a project's design could detect, from what was known before.

- `analyses`: What an analysis of any kind could detect, by its own estimator and inference on the years before the
  programme.
- `event_leads`: What passing the tests before the start is worth for staggered starts: from the effects by cohort and
  period.
- `placebos`: Placebo effects and critical values of a project's own test, from changes before the programme.
- `power`: What a project's design could detect, from what was known before the programme.
- `pre_trends`: What passing a test before the start is worth: the trends it would find, and what those it misses do
  to the effect.
- `pre_trends_arrays`: Kernels of power before the start: normal probabilities of boxes and balls, and means given
  that a test passed.
- `pupils`: What an analysis of pupils in schools could detect, from years before the programme alone.
- `rehearsal`: A design rehearsed where nothing happened: what it finds there, how often it is wrong, and what it
  could find.
- `rehearsal_arrays`: What a design finds where nothing happened, from the statistic of areas or of their sets: arrays
  in, arrays out.
- `report`: What a project could detect, outcome by outcome: before outcomes, by its two-level plan, and as it turned
  out.
"""
