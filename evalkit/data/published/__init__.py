"""Published files: what they hold, who took part by them, and everything that one project reads.

- `absence`: Absence of each school over the school years as one listing: a national table a year, which names no
  school.
- `area_records`: Measures that are published of authorities, as records of a project: where each stands, its years,
  its values.
- `assembled`: The assembled England panels: every school and summer 2016 to 2019 in one file.
- `codes`: What the codes in published tables mean; a code stays a reason and never becomes a silent gap.
- `contrasts`: Triple differences as outcomes: one less another, for units and years that have both.
- `ees_schools`: Long tables of schools' results as one listing over the years, as wide performance tables are.
- `known_schools`: Every school that the published files know, by its numbers and names, and whether two names mean
  one school.
- `list_rule`: The schools that a declared rule lists, in every area: those of the programme, and whom it would have
  listed.
- `listings`: The schools and results of one key stage over every year at hand, whichever published files each year
  comes from.
- `neighbours`: DfE's statistical-neighbour lists: the workbooks of the Local Authority Interactive Tool, and the same
  as CSV.
- `participants`: Which schools took part: an area, a file of schools matched to what was published, or an example's
  made-up list.
- `participants_file`: A list of schools as people keep one: whatever the encoding, the separator and the headings.
- `performance`: Wide performance tables as one listing over the years, and the confidence limits and shares printed
  in them.
- `project_data`: Everything one project reads, checked once: records by key stage and own table, areas, participants.
- `records`: Schools and their results over time: every cell a number or a reason; which schools can be analysed.
- `school_lists`: What the school lists say: links between establishments, dates of conversion, groups and types,
  pupils on roll.
- `school_types`: The group of schools that a type of establishment belongs to: which schools are mainstream and
  state-funded.
- `sources`: Which published files a folder holds: each told by its content, whatever its name and wherever it lies.
- `subgroups`: The data of subgroups: of some schools alone, or of schools and years with the results of every
  subgroup.
- `tables`: Reading a published table or workbook exactly as it stands, and saying when it is not what it claims.
- `trust_members`: The schools of a trust as participants: those that GIAS lists as its members, each from the day it
  joined.
"""
