"""Published layouts: for each source how its files are told, what their columns mean, and the function that reads one.

- `boundaries`: Outlines of local authorities as the Office for National Statistics publishes them, of any layer.
- `deprivation`: IDACI: the share of children in income-deprived families of each small area, and of that which a
  school stands in.
- `destinations`: What became of pupils: destinations after key stage 4 and after 16 to 18 study, and results of 16 to
  18 study.
- `ees`: Explore Education Statistics: DfE's long files, with a row for each period, place and breakdown.
- `ees_schools`: Schools' results as Explore Education Statistics (EES) publishes them: rows by school, year, subject
  and group.
- `exclusions`: Exclusions by authority, 2006/07 to 2016/17, in the layouts of DfE's statistical releases of the time.
- `field_table`: Tables of schools whose columns are those of a layout's fields: read into keys, numbers and reasons.
- `file_names`: What a file's name says where its content cannot: the school year, and whether it is provisional or
  final.
- `gias`: The lists of schools: Get Information about Schools (GIAS) in a cut of any width, its links, and the tables'
  own.
- `gias_groups`: Groups of schools in GIAS: who belongs to which trust, sponsor or federation, and since when.
- `lait`: The Local Authority Interactive Tool's long table, and its measures one by one.
- `neighbours`: DfE's statistical neighbours of every authority, as a workbook or as CSV; which list a file is, by its
  content.
- `not_data`: Files without records of their own: descriptions of columns, lists of codes, notes, tables derived from
  others.
- `ofsted`: Ofsted's inspections: histories of ratings, management information, and report cards; the grade of each
  framework.
- `opening`: Opening a file as what it is said to be: a file for another reader is told by what it looks like.
- `performance_tables`: DfE's wide performance tables of key stages 2 and 4, of England or of one authority, in the
  layout of any year.
- `published_table`: The rows of a published table: what each is of, its numbers, and the reason of each number that
  is missing.
- `pupils`: Pupil-level extracts of the National Pupil Database: one row for each pupil and year.
- `registry`: Every layout that a file can be told by. A further one is a module in this folder and its name here.
- `school_census`: Pupils and absence of each school: the census and absence files of the school performance tables.
- `school_columns`: Columns of the lists of schools as typed values: every gap keeps its reason, and a cell that
  cannot be is refused.
- `similar_schools`: DfE's similar schools: for each school the fifty that are most like it, as published since June
  2026.
"""
