"""The published interface to the similarity of two texts.

  from similarity import BertSim

  sim = BertSim(output_dir="lcqmc_output")
  sim.start_model()
  sim.predict_sentences([("我的手机丢了", "手机不见了怎么办")])   # array([[0.03, 0.97]], float32)

As a program it is scripts/similarity.py: python3 similarity.py --model=lcqmc_output
"""

import dataclasses
import os
import runpy
import sys
from collections.abc import Sequence

import numpy as np

import albert_zh
from albert_zh.checkpoint.paths import find_checkpoint

_HERE = os.path.dirname(os.path.abspath(__file__))


class BertSim:
    """Probabilities that two texts differ and that they mean the same.

    The model is read once, by `start_model`. `albert_zh.load(path, use="similarity")` does more.
    """

    def __init__(
        self,
        batch_size: int = 128,
        *,
        output_dir: str = os.path.join(_HERE, "albert_lcqmc_checkpoints"),
        config_name: str = os.path.join(_HERE, "albert_config", "albert_config_tiny.json"),
        vocab_file: str | None = None,
        max_seq_len: int = 128,
    ):
        """The settings have the names that they had in args.py.

        Args:
            batch_size: Pairs of the greatest length computed at a time.
            output_dir: Folder of a fine-tuned model, or a checkpoint.
            config_name: Configuration of a checkpoint of the published code, which has none beside.
            vocab_file: Its vocabulary; None: the vocab.txt beside it.
            max_seq_len: Tokens of a pair at most; longer ones are cut.
        """
        self.batch_size, self.output_dir, self.max_seq_len = batch_size, output_dir, max_seq_len
        self._config_name, self._vocab_file = config_name, vocab_file
        self._predictor = None

    def start_model(self) -> None:
        """Read the model.

        Raises:
            FileNotFoundError: There is no such checkpoint or vocabulary.
            ValueError: It is no classifier of pairs with two labels.
        """
        files = {"vocab_file": self._vocab_file}
        if not os.path.exists(f"{find_checkpoint(self.output_dir)}.meta.json"):
            files["config_file"] = self._config_name
        similarity = albert_zh.load(self.output_dir, use="similarity", **files)
        longest = min(self.max_seq_len, similarity.classifier.max_seq_length)
        self._predictor = dataclasses.replace(similarity.classifier, max_seq_length=longest)

    def predict_sentences(self, sentences: Sequence[tuple[str, str]]) -> np.ndarray:
        """`[N, 2] float32`: for each pair the probabilities that its texts differ, and are alike.

        Raises:
            ValueError: `start_model` was not called, or an element is no pair of texts.
        """
        if self._predictor is None:
            raise ValueError("call start_model() first, which reads the model")
        predictions = self._predictor.predict(sentences, batch_size=self.batch_size)
        return np.array([each.probabilities for each in predictions], np.float32).reshape(-1, 2)


if __name__ == "__main__":
    sys.path.insert(0, os.path.join(_HERE, "scripts"))
    runpy.run_path(os.path.join(_HERE, "scripts", "similarity.py"), run_name="__main__")
