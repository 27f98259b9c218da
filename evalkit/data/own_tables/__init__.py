"""A user's own tables: read strictly, what is left out counted.

- `area_units`: Units of a table that are authorities, or of which nothing is known: described as schools are.
- `columns`: The columns of a user's own CSV or Parquet file: texts exactly as they stand, numbers strictly numbers.
- `csv_records`: The records of CSV text: opened within limits, and counted apart from whatever reads them, so that
  none is lost.
- `ees_periods`: Periods of Explore Education Statistics: what `time_period` and `time_identifier` say together, and
  its summer.
- `event_study`: Coefficients of an event study and their covariance, from two files that any program can write.
- `long_table`: A user's own table with a row for each unit and period, ready for a `Panel`: what is left out is
  counted.
- `parquet`: The columns of a Parquet file, integers of an id as their digits.
- `people_table`: A table of a project's own whose rows are people: their numbers in arrays, and the records of their
  schools.
- `project_table`: A table of a project's own as records beside the published ones: its units, their outcomes, what
  was known before.
- `row_filter`: Which rows of a table count: those whose cells are one of the values named for their column.
- `survey_answers`: Answers to a questionnaire or an audit tool: its items and scales, and a table with a row for each
  person asked.
- `unit_table`: A user's own table with one row for each unit, for a `Baseline` or for `Profiles`; later columns are
  kept apart.
- `year_labels`: The year that a published label stands for, and what the labels of a column of periods are numbered
  by.
"""
