"""Published layouts: for each source how its files are told, what their columns mean, and the function that reads one.

- `ees_schools`: Schools' results as Explore Education Statistics (EES) publishes them: rows by school, year, subject
  and group.
- `file_names`: What a file's name says where its content cannot: the school year, and whether it is provisional,
  revised or final.
- `performance_tables`: DfE's wide performance tables of key stages 2, 4 and 5, of England or of one authority, in the
  layout of any year.
- `registry`: Every layout that a file can be told by. A further one is a module in this folder and its name here.
"""
