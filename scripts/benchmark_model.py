r"""Measure how fast the formats of an export are here: latency, throughput, memory.

  python3 scripts/benchmark_model.py --export_dir=my_export
  python3 scripts/benchmark_model.py --export_dir=my_export --lengths=16,64 --batch_sizes=1,16 \
      --threads=1,2 --output_dir=my_latencies

Each format runs in a process of its own; they take turns, so that other work on the machine slows
down all of them. For TFLite files, the commands for a phone are printed, too.
"""

from project import cli

from albert_zh.export.options import BenchmarkOptions


def main(options: BenchmarkOptions) -> None:
    from albert_zh.export.benchmark import benchmark_export

    for line in benchmark_export(options):
        print(line)


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)
