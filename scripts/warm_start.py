r"""Write initial weights for pretraining, with word vectors counted from the corpus.

  python scripts/warm_start.py --input_file=corpus/ --vocab_file=albert_config/vocab.txt \
      --bert_config_file=albert_config/albert_config_tiny.json --output_dir=warm_start

  python run_pretraining.py --init_checkpoint=warm_start ...

The weights predict a masked token from its neighbours before any training, on which a small model
would otherwise spend its first thousands of steps: word vectors that factorize the counts, heads
that look at one neighbour each or for like words in the other text, and a bias of log frequencies.
The rest is random. docs/pretraining_recipe.md says more.
"""

import dataclasses

from project import cli

from albert_zh.config import ModelConfig
from albert_zh.corpus.options import ReadingOptions
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.util.files import check_is_local
from albert_zh.util.new_directory import check_is_new, new_directory
from albert_zh.util.tensorflow_start import import_tensorflow
from albert_zh.word_vectors.corpus import corpus_vectors
from albert_zh.word_vectors.layout import Layout
from albert_zh.word_vectors.options import WarmStartOptions


def main(options: WarmStartOptions, reading: ReadingOptions) -> None:
    check_is_local(options.output_dir)
    check_is_new(options.output_dir)
    config = ModelConfig.from_json_file(options.bert_config_file)
    tokenizer = load_tokenizer(
        options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
    )
    config.check_vocabulary_size(len(tokenizer.vocab), source="the vocabulary")
    layout = Layout(config)
    with new_directory(options.output_dir, overwrite=False) as partial:
        unfinished = dataclasses.replace(options, output_dir=partial)
        vectors = corpus_vectors(unfinished, reading, tokenizer, size=layout.word_width)

        import_tensorflow()
        import tensorflow as tf

        from albert_zh.pretraining.warm_start import write_warm_start

        tf.config.set_visible_devices([], "GPU")  # There is nothing to compute.
        write_warm_start(unfinished, config, vectors)
    print("\n".join([*vectors.summary(), f"wrote {options.output_dir}/model.ckpt"]))


if __name__ == "__main__":
    cli.run(main, WarmStartOptions, ReadingOptions)
