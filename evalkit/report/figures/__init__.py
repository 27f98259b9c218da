"""Figures in one voice: colours that colour-blind readers can tell apart, labels at the lines, honest axes.

- `analyses`: Forest plot of all analyses of a project: the effect by which each is quoted, one below the other.
- `area_map`: The map of areas: where the programme was, and where the schools it is compared with are.
- `areas`: Figures of one or few treated areas: beside their synthetic series, and their gap among placebos.
- `bounds`: The interval of an effect as violations of parallel trends grow, and where it reaches 0.
- `choices`: How the answer moves with what one compares with: the specification curve and the map of choices.
- `contribution`: The theory of change drawn in layers: boxes for its nodes, and a line for each link by its verdict.
- `curve`: The specification curve: every estimate in order of size, and below it which options are behind small and
  large.
- `design`: Figures of the design: how alike the schools are, how they came into it, and what it could detect.
- `dose`: Change by dose: a point for each participant that may be drawn, the line through them, and the thirds'
  means.
- `forest`: Forest plot: every project's estimate, and the pooled one with its prediction interval or why there is
  none.
- `likert`: Answers to items as bars that part at the middle of their scale; what is withheld in the table is not
  drawn.
- `main_effect`: The main effect: its interval on one line, and where the treated area stands among all areas.
- `matching`: Figures of a matched or weighted comparison: love plot, overlap, distributions, and the years before.
- `plotting_state`: What matplotlib keeps for a whole process: put back after a notebook, and its backend for
  notebooks loaded afresh.
- `pupils`: Mean outcome of pupils by arm and year; what rests on fewer than ten pupils is neither drawn nor told.
- `series`: The figure of an interrupted time series: the areas and those compared with, and the gap with its lines.
- `similar`: Figure of a list of similar schools or areas: each on a strip, by how far it is from the one the list is
  for.
- `staggered`: The effect by time since the start: each time's interval, and the band that holds for all times
  together.
- `style`: One size, one voice, and the same bytes every time.
- `synthetic`: Figures of an analysis by synthetic control: what was measured, and gaps by time since the areas' own
  starts.
- `years`: Figures by year: means of both arms, and their difference with its interval and the band for all years.
"""
