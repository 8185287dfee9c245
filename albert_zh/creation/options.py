"""The flags of data creation."""

from dataclasses import dataclass

from albert_zh.corpus.instances import SHORTEST
from albert_zh.flags import REQUIRED, option
from albert_zh.masking.options import MASKINGS
from albert_zh.util.optional_packages import load_extra
from albert_zh.words.names import SEGMENTERS, segmenter_of, segmenter_packages


@dataclass(frozen=True)
class DataOptions:
    """Input and output files, and how to make the records."""

    input_file: str = option(
        REQUIRED,
        "Raw text: a comma-separated list of files, globs and folders; - is standard input. Files "
        "may be compressed (.gz, .bz2, .xz, .zst) or archives (.tar, .zip). Hidden files and "
        "records of this program in a folder are left out.",
    )
    output_file: str = option(
        REQUIRED,
        "TFRecord files, separated by commas; or one name with a *, such as 'part-*.tfrecord', for "
        "as many files as needed.",
    )
    vocab_file: str | None = option(
        None,
        "Vocabulary, one entry a line. Required unless --spm_model_file is given.",
        is_file=True,
    )
    spm_model_file: str | None = option(
        None,
        "SentencePiece model; the text is tokenized with it instead of WordPiece.",
        is_file=True,
    )
    do_lower_case: bool = option(True, "Lower-case the text and strip accents.")
    whole_entries: str | None = option(
        None,
        "Comma-separated entries of the vocabulary that the text may hold by name, such as "
        "[NUM],[SEP]: each stays one token. [CLS], [SEP], [MASK] and [PAD] in the text are never "
        "masked. Default: such names are split like other text. Fine-tuning always splits them.",
    )
    split_sentences: bool = option(
        False, "Split each line into sentences; for text with one paragraph a line."
    )
    segmenter: str | None = option(
        None,
        "Segmenter for whole-word masking: jieba (the default), rjieba (the same in Rust, faster), "
        "spaces (for segmented text), none.",
        choices=SEGMENTERS,
    )
    user_dict: str | None = option(
        None,
        "File of words for the segmenter's dictionary; each line: word [frequency] [tag].",
        is_file=True,
    )
    traditional: bool = option(
        False,
        "The text is in traditional characters; words are looked up in simplified form.",
    )
    drop_duplicates: bool = option(
        False,
        "Leave out documents with exactly the texts of an earlier one. The summary counts them in "
        "any case.",
    )
    non_chinese: bool = option(
        False, "For languages with spaces: use the tokenizer's words, as --segmenter=none does."
    )
    masking: str | None = option(
        None,
        "Unit of masking: token; word; ngram of words; span of words, of geometric length "
        "(SpanBERT). dynamic: no masks; run_pretraining.py makes new ones every epoch. Default: "
        "word with --do_whole_word_mask, else token.",
        choices=[*MASKINGS, "dynamic"],
    )
    do_whole_word_mask: bool = option(
        False, "Mask all tokens of a word together rather than single tokens."
    )
    do_permutation: bool = option(
        False,
        "Also permute as many other tokens as are masked, and predict them too; records then have "
        "room for twice max_predictions_per_seq.",
    )
    random_next_sentence: bool = option(
        False,
        "Next-sentence prediction (BERT) instead of sentence order: half of the second segments "
        "come from other documents.",
    )
    full_sentences: bool = option(
        False, "Instead of a pair, one segment of as many sentences as fit (RoBERTa)."
    )
    max_seq_length: int = option(
        128, "Maximum tokens per instance, with [CLS] and [SEP].", at_least=SHORTEST
    )
    max_predictions_per_seq: int | None = option(
        None,
        "Maximum masked tokens per instance. Default: masked_lm_prob * max_seq_length.",
        at_least=1,
    )
    short_seq_prob: float = option(
        0.1,
        "Probability that a pass over a document makes instances of shorter length.",
        at_least=0,
        at_most=1,
    )
    dupe_factor: int = option(
        10, "Passes over the text, each with new pairs and masks.", at_least=1
    )
    random_seed: int = option(12345, "Seed of all random choices.", at_most=2**63 - 1)
    compact: bool = option(
        False,
        "Records without padding. run_pretraining.py reads them; published readers do not.",
    )
    compress: str = option("none", "Compression of the output files.", choices=["none", "gzip"])
    num_shards: int | None = option(
        None,
        "Number of files for the * in --output_file. Default: one for each 128 MB of records.",
        at_least=1,
    )
    num_workers: int | None = option(
        None, "Worker processes. Default: one for each core.", at_least=1
    )

    @property
    def segmenter_name(self) -> str:
        """The segmenter that the flags ask for."""
        return segmenter_of(self.segmenter, non_chinese=self.non_chinese)

    def check(self) -> None:
        packages = segmenter_packages(self.segmenter_name, traditional=self.traditional)
        for package, purpose in packages.items():
            load_extra(package, purpose=purpose)
