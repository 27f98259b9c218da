"""A project's evaluation: its checks, ratings, costs and results.

- `appraisal`: The result on published scales, counted and in words; claims; cost; limits.
- `checks`: The list of every check of a result, in the order a reader meets them; and the checks of who is compared.
- `checks_sample`: Checks of the sample and the measure: balance, overlap, losses, conversions, concentration, the
  score cap, power.
- `checks_trend`: Checks of what the arms would have done anyway: earlier trends and levels, outcomes not aimed at,
  matching.
- `costs`: What a programme cost: for each school, for each pupil, and for each unit of effect where the interval
  allows it.
- `describe`: The design as a reader may see it, from baseline data alone, and how alike the arms were before the
  programme.
- `evaluate`: From a locked design and the outcomes to everything a report draws on.
- `evaluation`: All of one project's results, its rating and intraclass correlation among them: what every document is
  drawn from.
- `falsification`: Falsification tests: statistics that a programme does not move, ranked among all areas analysed the
  same way.
- `flows`: The flow of schools from listed to analysed, by arm, and how far the arms differ in what they lost.
- `given_baseline`: The effect on a whole area given where it stood before: what areas that stood so gain where
  nothing happened.
- `influence`: Who moves the result, and by how much: without one school, one trust or network, one comparison area.
- `influence_arrays`: Kernels of influence: by how much an effect moves without one unit, one part of the treated, or
  one compared area.
- `listed_tests`: Statistics of falsification tests for listed schools, and for the same sets of schools drawn in
  their place.
- `outcome_summaries`: One row for each outcome: who was analysed, means before and after, the p-value adjusted for
  several outcomes.
- `results`: What checks look at: the effects of one project, found by name.
- `violations`: What a project's result would bear, were trends not parallel: bounds by permutation, and trends it
  could see.
"""
