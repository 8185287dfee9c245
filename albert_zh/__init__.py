"""albert_zh: train small Chinese encoders. `ARCHITECTURE.md` maps the package."""

# A new one for each change of the records: it parts them in unfinished data creations.
__version__ = "0.2.0"


def load(path: str, **options):
    """A fine-tuned model, ready to predict.

    ```
    predictor = albert_zh.load("lcqmc_output")
    predictor.predict([("我的手机丢了", "手机不见了怎么办")])[0].label
    ```

    Args:
        path: Output directory of run_classifier.py, a checkpoint, or the folder of an export.
        **options: `config_file`, `vocab_file`, `spm_model_file`, `labels` of a published
            checkpoint, as of `albert_zh.inference.load.load_model`.

    Raises:
        FileNotFoundError: A file of the model is missing.
        ValueError: It is no fine-tuned model, or its files contradict each other; or it is a part
            of an export.
    """
    # TensorFlow takes seconds to import; `import albert_zh` does not.
    from albert_zh.export.reading import check_is_no_part, is_export, load_export
    from albert_zh.inference.load import load_model
    from albert_zh.util.error_text import arguments_for_flags

    if is_export(path):
        if options:
            raise ValueError(f"{path} is an export, which needs no {', '.join(options)}")
        return load_export(path)
    check_is_no_part(path)
    with arguments_for_flags("config_file", "vocab_file", "spm_model_file", "labels"):
        return load_model(path, **options).predictor()
