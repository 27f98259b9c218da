"""One project: its file, its data, its run.

- `analyses`: What a project file says of its analyses: their kinds, the options of each, and what later versions will
  read.
- `analysis_rules`: What a project file may say of its analyses, its own tables and its own notebooks, beyond the
  types of values.
- `check`: What a project would read, found and counted; nothing is estimated.
- `chosen_data`: Which published files a project is run on: what was asked for, what its file says, or what its last
  report was of.
- `complaints`: What is wrong with a value of a project file, in words that a person can act on.
- `file_list`: Every file below a folder in words and as JSON: what it is, what it gives, or why it is not used.
- `import_command`: `evalkit import`: a folder of files into the store, and a list of every file: what it is, or why
  it is not used.
- `measures_file`: Measures that a project defines itself: `measures.yml` beside its project file, in the form of the
  kit's registry.
- `migrate`: `evalkit migrate`: a project file of the first version as it should be now, its comments where they were.
- `new_project`: `evalkit new` and `evalkit projects`: a new project folder to start from, and those that are there.
- `plain_yaml`: YAML reduced to plain data: no tags, no anchors, no repeated keys, and the line of every value.
- `project_file`: Project files and claims: read, checked whole, and every complaint in one message.
- `project_rules`: What a project file may ask for, beyond the types of its values, and how long its texts may be.
- `runner`: One project from its file to its outputs folder.
- `synthetic_command`: `evalkit synthetic`: make the whole synthetic England in a folder, all of it or nothing.
- `workspace`: Where projects, notebooks, data and outputs are; files of a project never lie outside its folder.
"""
