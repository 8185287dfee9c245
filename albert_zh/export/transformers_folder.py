"""A model as a folder of transformers, read back and compared with the checkpoint."""

from albert_zh.exchange.to_transformers import write_folder
from albert_zh.export.check import largest_differences, reference_outputs, require_equal
from albert_zh.export.formats import transformers
from albert_zh.export.options import ToTransformersOptions
from albert_zh.export.source import source_of
from albert_zh.util.new_directory import check_is_new, new_directory


def export_folder(options: ToTransformersOptions) -> list[str]:
    """Write the folder; return the lines to print.

    Raises:
        FileNotFoundError: A file of the model is missing.
        ValueError: No model of transformers equals it.
    """
    check_is_new(options.output_dir)
    source = source_of(options)
    batches, expected = reference_outputs(source)
    with new_directory(options.output_dir, overwrite=False) as directory:
        architecture = write_folder(source, directory)
        differences = largest_differences(batches, expected, transformers.load(directory))
        require_equal("the folder", differences)
    return [
        f"wrote {options.output_dir}, {architecture.name} of transformers, from {source.prefix}",
        f"  read back, it differs from the checkpoint by {max(differences.values()):.1e} at most",
    ]
