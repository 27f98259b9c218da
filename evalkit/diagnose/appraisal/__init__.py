"""The design of any analysis on published scales, by rules that stand beside each judgement and see no estimate."""
