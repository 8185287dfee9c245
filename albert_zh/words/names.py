"""Names of the segmenters, and the packages they need: for flags, so no dictionary is loaded."""

SEGMENTERS = ("jieba", "rjieba", "spaces", "none")
DEFAULT_SEGMENTER = "jieba"
# Segmenters with a dictionary, and the package that has it.
_DICTIONARIES = {"jieba": "jieba", "rjieba": "rjieba"}


def segmenter_of(segmenter: str | None, *, non_chinese: bool) -> str:
    """The segmenter that flags, perhaps left out, ask for."""
    return "none" if non_chinese else segmenter or DEFAULT_SEGMENTER


def segmenter_packages(name: str, *, traditional: bool) -> dict[str, str]:
    """The packages that a segmenter needs, each with its purpose in words.

    >>> segmenter_packages("rjieba", traditional=True)
    {'rjieba': "the segmenter 'rjieba'", 'opencc': 'text in traditional script'}
    >>> segmenter_packages("spaces", traditional=True)
    {}
    """
    if name not in _DICTIONARIES:
        return {}
    packages = {_DICTIONARIES[name]: f"the segmenter {name!r}"}
    if traditional:
        packages["opencc"] = "text in traditional script"
    return packages
