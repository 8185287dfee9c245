r"""Turn raw text into pretraining records on many machines, as an Apache Beam pipeline.

Flags and records are those of create_pretraining_data.py, byte for byte; Beam's own options go
into --beam_options. On one machine, create_pretraining_data.py is the better choice:
Beam's DirectRunner keeps all records in memory and cannot resume a killed run.

  python scripts/create_pretraining_data_beam.py --input_file=corpus \
      --output_file='records/part-*.tfrecord' --num_shards=4 --vocab_file=albert_config/vocab.txt \
      --do_whole_word_mask --beam_options='--runner=DirectRunner'

  python scripts/create_pretraining_data_beam.py --input_file='gs://bucket/corpus/*.txt' \
      --output_file='gs://bucket/records/part-*.tfrecord' --num_shards=200 \
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask \
      --beam_options='--runner=DataflowRunner --project=mine --region=europe-west4
                      --temp_location=gs://bucket/temp --setup_file=./pyproject.toml'

It needs the package apache-beam, for Google Cloud apache-beam[gcp]. Workers need this package, too:
--setup_file installs it there, or a container image has it. --save_main_session is not needed. The
vocabulary, dictionary and word table are read on this machine and sent with the pipeline. Input
and output have to be where all workers can reach them.
"""

from collections import Counter
from dataclasses import dataclass

from project import cli

from albert_zh.corpus.options import ReadingOptions
from albert_zh.creation.options import DataOptions
from albert_zh.creation.plan import make_plan
from albert_zh.creation.summary import summary
from albert_zh.flags import option
from albert_zh.masking.options import MaskingOptions
from albert_zh.util.optional_packages import load_extra


@dataclass(frozen=True)
class BeamOptions:
    """Flags of Apache Beam."""

    beam_options: str = option(
        "", "Options of Apache Beam and its runner, such as '--runner=FlinkRunner --parallelism=8'."
    )


def main(
    options: DataOptions, reading: ReadingOptions, masking: MaskingOptions, beam: BeamOptions
) -> None:
    load_extra("apache_beam", purpose="a pipeline")  # before the imports of modules that need it
    from albert_zh.creation.beam.building import build_shards
    from albert_zh.creation.beam.files import (
        find_inputs,
        is_complete,
        parse_outputs,
        pipeline_options,
    )

    if options.num_workers is not None:
        raise ValueError(
            "--num_workers is for create_pretraining_data.py; here the runner starts the workers,"
            " so use --beam_options='--direct_running_mode=multi_processing --direct_num_workers=2'"
        )
    runner_options = pipeline_options(beam.beam_options)
    outputs = parse_outputs(options.output_file, num_shards=options.num_shards)
    paths = find_inputs(options.input_file, outputs)
    plan = make_plan(options, reading, masking)
    if is_complete(outputs, plan.record_set, paths):
        print(f"complete already, nothing to do: {options.output_file}")
        return
    result = build_shards(
        paths,
        reading.rules,
        plan.maker,
        outputs=outputs,
        record_set=plan.record_set,
        compressed=options.compress == "gzip",
        options=runner_options,
        drop_duplicates=options.drop_duplicates,
    )
    print(summary(Counter(result.counts), result.recipe))
    print(f"wrote {result.num_records:,} instances to {', '.join(outputs.labels(result.shards))}")


if __name__ == "__main__":
    cli.run(main, DataOptions, ReadingOptions, MaskingOptions, BeamOptions)
