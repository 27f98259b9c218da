"""From files to validated records, panels and series: tables are read here, and nothing is decided.

- `areas/`: Series and outlines of local authorities.
- `baseline`: What was known before a programme: the table that matching and weighting start from.
- `described`: What an analysis that describes reads for itself, by the verb `read` of its options.
- `files/`: Any folder of files as it comes: each told by its content.
- `flow`: Everything lost between listed and analysed: schools counted with the reason, rows of a table left out.
- `identity/`: Which schools and areas are one over time.
- `ids`: The ids of units: each known and once, and the order they fix, whatever order a file has.
- `layouts/`: Published layouts: for each source how its files are told, what their columns mean, and the function
  that reads one.
- `lock_file`: The lock of an analysis plan as a file: its seal, and the one guard before outcomes are read.
- `locks`: Files that several processes may touch: there whole or not at all, and locks the system lets go of.
- `measures`: The measure registry: what each published measure is, when it exists, and where its series breaks.
- `own_tables/`: A user's own tables: read strictly, what is left out counted.
- `panel`: The tables every design starts from: the same units in several periods, or other people in each period.
- `profiles`: What units are like: a table with one row for each unit, whoever took part in whatever.
- `published/`: Published files: what they hold, who took part by them, and everything that one project reads.
- `roles`: Which column of a table plays which part, and the checks that every table of observations passes.
- `store/`: A local store of imported files: read once into Parquet, read back by name, and known by the raw files'
  SHA-256.
- `subgroups`: By what an analysis may be made for subgroups: of pupils by published breakdowns, of schools by what
  they were.
- `synthetic/`: A synthetic England: made-up schools in the published formats, and a programme whose effect is known.
- `synthetic_edition`: Which synthetic England is made where no data are given; apart from it, so that its folder is
  found quickly.
- `years`: Which years a project reads: those before its programme, and all that are read after it.
"""
