"""Who is compared with whom, decided before outcomes are read.

- `algebra_arrays`: Products of tall matrices in small pieces, and which column of a table follows from the others.
- `analysis_plan`: What every analysis of a project decides before outcomes are read, whatever its kind, and all of
  them together.
- `clusters`: How many clusters are treated, which inference that number supports, and which rejects less often than
  it says.
- `kinds/`: The plans of kinds of analysis, made before outcomes are read.
- `matching/`: Choosing and weighting a comparison group: ten methods behind one verb, each kernel beside its method.
- `panel/`: Designs over time: cohorts that start in different periods, and treated areas with their donors.
- `power/`: What a design could detect.
- `project/`: The design of a project: areas, neighbours, matched groups, and the inference it supports.
- `similar`: Which units are most like a unit, by a weighted distance on stated characteristics.
- `weights_arrays`: What unequal weights and unequal shares of clusters do to a weighted mean: arrays in, numbers out.
"""
