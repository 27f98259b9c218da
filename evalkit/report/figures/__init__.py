"""Figures in one voice: colours that colour-blind readers can tell apart, labels at the lines, honest axes.

- `area_map`: The map of areas: where the programme was, and where the schools it is compared with are.
- `areas`: Figures of one or few treated areas: beside their synthetic series, and their gap among placebos.
- `choices`: How the answer moves with what one compares with: the specification curve and the map of choices.
- `design`: Figures of the design, before outcomes: its balance, and what it could detect.
- `forest`: Forest plot: every project's estimate, and the pooled one with its prediction interval or why there is
  none.
- `interval`: The interval of the main effect as one line: zero marked, points below, standard deviations above.
- `matching`: Figures of a matched or weighted comparison: love plot, overlap, distributions, and the years before.
- `participants`: The flow of schools from listed to analysed, arm beside arm.
- `permutation`: The change of every area analysed the same way, the treated one among them.
- `plotting_state`: What matplotlib keeps for a whole process: put back after a notebook, and its backend for
  notebooks loaded afresh.
- `similar`: Figure of a list of similar schools or areas: each on a strip, by how far it is from the one the list is
  for.
- `staggered`: The effect by time since the start: each time's interval, and the band that holds for all times
  together.
- `style`: One size, one voice, and the same bytes every time.
- `years`: Figures by year: means of both arms, and their difference with its interval and the band for all years.
"""
