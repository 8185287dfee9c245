"""albert_zh: train small Chinese encoders. `ARCHITECTURE.md` maps the package."""

# A new one for each change of the records: it parts them in unfinished data creations.
__version__ = "0.2.0"


def load(path: str, **options):
    """A model, ready to predict.

    ```
    predictor = albert_zh.load("lcqmc_output")
    predictor.predict([("我的手机丢了", "手机不见了怎么办")])[0].label
    ```
    What it is depends on the model, and on `use`:

    ```
    fine-tuned    Classifier, Regressor, MultipleChoice, SpanReader or Tagger, by its task
                  use="similarity"   Similarity, of a classifier of pairs
    pretrained    FillMask
    any           use="encoder"      SentenceEncoder, also of a model without a head
    ```
    All may be used by several threads at a time.

    Args:
        path: Output directory of run_classifier.py or run_pretraining.py, a checkpoint, or the
            folder of an export.
        **options: `use`; `pooling` and `layer` of an encoder. Of an export: `format_name`, by
            default the fastest that can be computed here, and `threads`. Of a published
            checkpoint: `config_file`, `vocab_file`, `spm_model_file`, `labels`, `do_lower_case`, as
            of `albert_zh.inference.load.load_model`.

    Raises:
        FileNotFoundError: A file of the model is missing.
        ValueError: Its files contradict each other, or it is not made for this use; or it is a part
            of an export.
    """
    # `import albert_zh` takes no time.
    from albert_zh.export import any_model

    return any_model.load(path, **options)
