"""What more of a programme goes with: change by dose, and the effect at a threshold.

- `against_comparison`: Change by dose with units outside the programme at a dose of 0, for the listed units and for
  sets in their place.
- `dealt`: Several slopes on the dose, each found of the same doses dealt out anew.
- `listed`: Listed units against those outside the programme: by dose, as a whole, and at a threshold.
- `slope_arrays`: The slope of change on dose within areas, and every way in which the doses could have been dealt out
  instead.
- `take_up_arrays`: Anderson–Rubin sets: the effects of taking part that a test does not reject, whatever shape they
  have.
- `within`: How much more those changed that had more: the slope among participants, judged by doses dealt out anew.
"""
