"""Published layouts: for each source how its files are told, what their columns mean, and the function that reads one.

- `ees_schools`: Schools' results as Explore Education Statistics (EES) publishes them: rows by school, year, subject
  and group.
- `performance_tables`: DfE's wide performance tables of key stages 2, 4 and 5, of England or of one authority, in the
  layout of any year.
- `registry`: Every layout that a file can be told by. A further one is a module in this folder and its name here.
"""
