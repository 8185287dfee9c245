"""Names of the segmenters, for flags: this module loads no dictionary."""

SEGMENTERS = ("jieba", "rjieba", "spaces", "none")
