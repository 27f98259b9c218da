"""What a design could detect.

- `mdes`: The least effect that a design could detect: of a project, of a panel of schools, of pupils in schools.
- `simulation`: Power by simulation: placebo treated sets from before the programme, an effect added, the design's own
  test.
"""
