"""Turn raw text into pretraining records.

Text: one sentence per line, a blank line between documents. In each of --dupe_factor passes, a
document gives pairs of segments, in order or swapped, with masked tokens:

  python create_pretraining_data.py --input_file=data/news_zh_1.txt \\
    --output_file=data/news.tfrecord --vocab_file=albert_config/vocab.txt \\
    --do_whole_word_mask=True --max_seq_length=512 --max_predictions_per_seq=51 \\
    --masked_lm_prob=0.10

A large corpus: folders of text, JSON lines and parquet, compressed files and archives, all cores,
as many output files as the data needs. The same command resumes a killed run:

  python create_pretraining_data.py --input_file=corpus/ --output_file='records/part-*.tfrecord' \\
    --vocab_file=albert_config/vocab.txt --masking=ngram --segmenter=rjieba

manifest.json beside the records lists their recipe and inputs; scripts/inspect_records.py shows
and verifies them. If the records are complete, the same command does nothing.
"""

from albert_zh import cli
from albert_zh.corpus.options import ReadingOptions
from albert_zh.creation.options import DataOptions
from albert_zh.masking.options import MaskingOptions


def main(options: DataOptions, reading: ReadingOptions, masking: MaskingOptions) -> None:
    from albert_zh.creation.run import create_records

    create_records(options, reading, masking)


if __name__ == "__main__":
    cli.run(main, DataOptions, ReadingOptions, MaskingOptions)
