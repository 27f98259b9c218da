"""A local store of imported files: read once into Parquet, read back by name, and known by the raw files' SHA-256.

`import_folder(folder, store) -> Store` reads what changed below a folder into a store. `is_store(folder)` says whether
one is there; `open_store(folder) -> Store` opens it and never writes.

`Store.entries` has one `StoreEntry` for every file that lay below the imported folder: `name` (its path below it with
`/`; members of an archive `a.zip/b.csv`), `layout` (name of its layout, empty where none is known), `title`,
`publisher`, `contents` (a `data.files.layout.Contents`: rows, years, areas, measures, levels, stage, subject),
`sha256` (of the raw file as it lay there; of an archive's member, of the member unpacked), `archive_sha256`,
`columns`, `reason` (why it is not used; empty where it is) and `is_used`. `Store.of(layout)` gives the entries used of
a layout. `Store.table(name)` is a `RawTable` over the stored copy: every reader that takes a `RawTable` takes it.
`Store.read(name, columns=None)` gives the same as published text, a cell missing where its row ended early.
`Store.query(sql, memory="1GB")` asks DuckDB: a table is an entry's name in double quotes, or a layout's for all its
files used (with a column `file`); a column `X` is a number where its cells are, and `X:text` beside it holds what was
published wherever the number alone does not say it. `Store.folder` is where the store is, `Store.source` the folder
that was imported, `Store.sha256` a digest of all entries.

- `importing`: Importing a folder: only what changed is read, and the store is what it was until all of it is there.
- `in_use`: Published files read from a store where it holds this very file: the same cells to the letter, sooner.
- `manifest`: What a store holds, in one file that is written last: every file imported, with what it gives and its
  SHA-256.
- `school_years`: Pupils of a store made to school-years: how many there are and have a number, mean, median, and why
  others lack.
- `store`: A store opened for reading: its entries, each stored table as published text, and questions in SQL.
- `typed_columns`: Published text as typed Parquet columns, and back again to the letter: numbers beside what was
  published.
"""
