"""Make records by the flags of the published create_pretraining_data_google.py.

It runs create_pretraining_data.py with the published defaults: n-grams of up to three words, where
each Chinese character is a word, 512 tokens, 20 predictions. --favor_shorter_ngram=True preferred
longer n-grams, and does so here. --masking=dynamic makes no masks, as --masked_lm_prob=0 did.
"""

import published


def _favor_shorter(value: str) -> list[str]:
    is_true = value.lower() in ("true", "t", "1", "y", "yes")
    return [f"--favor_shorter_ngram={not is_true}"]


if __name__ == "__main__":
    published.run(
        "create_pretraining_data.py",
        defaults={
            "masking": "ngram",
            "segmenter": "none",
            "max_seq_length": "512",
            "max_predictions_per_seq": "20",
        },
        translated={"favor_shorter_ngram": _favor_shorter},
        without={"do_whole_word_mask": "n-grams are always of whole words"},
    )
