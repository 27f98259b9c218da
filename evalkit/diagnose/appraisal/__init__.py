"""The design of any analysis on published scales, by rules that stand beside each judgement and see no estimate.

- `appraise`: Every analysis of a project on published scales: its facts, and the judgements that follow from them.
- `judgement`: An entry of a published appraisal scale, and the facts of a design that such entries follow from.
- `scales`: Published scales as rules: each a function of the facts of a design, none of which is its estimate.
"""
