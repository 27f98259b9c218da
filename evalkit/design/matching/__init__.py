"""Choosing and weighting a comparison group: ten methods behind one verb, each kernel beside its method.

- `features`: Covariates as columns of numbers: for scores, for distances and for balance.
- `full_arrays`: Full matching as the cheapest set of pairs that leaves nobody out.
- `full_matching`: Full matching: everyone in a set with one treated or one comparison unit, at the least sum of
  distances.
- `greedy_arrays`: Greedy matching, along a line and over several coordinates: each unit in turn takes the nearest
  partner left.
- `match`: `match`: one verb for every way of choosing or weighting a comparison group, its result looked at once
  more.
- `matched`: Who is compared with whom after matching or weighting, and how much each unit counts.
- `nearest_neighbour`: Nearest-neighbour matching: each unit in turn takes the nearest partner that is left.
- `optimal_arrays`: Pairs with the least sum of distances, with their proof: on a line, and over any number of
  dimensions.
- `optimal_matching`: Optimal matching: partners for every unit at the least sum of distances there is, with its
  proof.
- `options`: What may be asked of matching and weighting: for each method one object that holds only what it uses.
- `pairs`: How far apart any two units are, the caliper, and who may not be paired: what every pairing method starts
  from.
- `pairs_arrays`: Who may be paired with whom, how far apart they are, and the nearest partners of each: arrays in,
  arrays out.
- `profile_matching`: Profile matching: the largest group whose means are those of the target group.
- `rerun`: A matching made again for each of many sets of treated units, what does not hang on the set worked out
  once.
- `school_pupil_matching`: Schools first, then pupils: pupils are matched only with pupils of the schools that theirs
  was matched with.
- `scores`: The propensity score: how likely each unit was to be treated, given the matching covariates.
- `scores_arrays`: The propensity score's regressions, and the checks that keep a bad fit from becoming a number.
- `strata`: Matching in strata: exact, coarsened exact, and subclassification; whole strata are kept and their units
  weighted.
- `strata_arrays`: Strata as codes: values cut into bins, units moved so that every subclass holds both arms, nearest
  pairs inside.
- `weighting`: Weighting: by the inverse of the score, for entropy balance, and by the score whose weights balance the
  means.
- `weighting_arrays`: Weights that meet moment conditions: entropy balancing, and a logit fitted for balance, both by
  damped Newton.
"""
