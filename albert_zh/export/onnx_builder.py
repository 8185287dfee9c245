"""Builder of ONNX graphs: nodes are added by calls, and constants once each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from albert_zh.util.optional_packages import load_extra

_OPERATORS = 20  # version; the first with Gelu
_FILE_VERSION = 9  # of the format, as old as the operators allow


class Builder:
    """Nodes and constants of one graph.

    ```
    add = Builder(); y = add("MatMul", x, add.constant("kernel", array))
    ```
    """

    def __init__(self):
        """
        Raises:
            ValueError: The package onnx is not installed.
        """
        self._onnx = load_extra("onnx", purpose="writing ONNX")
        self._nodes: list[Any] = []
        self._constants: dict[str, np.ndarray] = {}
        self.float32 = self._onnx.TensorProto.FLOAT

    def __call__(self, operator: str, *inputs: str, **attributes) -> str:
        """Adds a node; returns the name of its first output."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        node = self._onnx.helper.make_node(operator, inputs, [name], name=name, **attributes)
        self._nodes.append(node)
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        """A constant; the second call with a name gives the first one's."""
        self._constants.setdefault(name, np.asarray(array, order="C"))
        return name

    def integers(self, values: int | Sequence[int]) -> str:
        """A constant of int64."""
        array = np.array(values, np.int64)
        return self.constant(f"integers_{'x'.join(map(str, array.shape))}_{values}", array)

    def floats(self, value: float) -> str:
        """A constant of float32."""
        return self.constant(f"floats_{value}", np.array(value, np.float32))

    def gather_tokens(self, sequence: str, positions: str) -> str:
        """`[B, L, D]` at `[B, R]` -> `[B, R, D]`."""
        places = self(
            "Unsqueeze",
            self("Cast", positions, to=self._onnx.TensorProto.INT64),
            self.integers([2]),
        )
        return self("GatherND", sequence, places, batch_dims=1)

    def rename(self, value: str, name: str) -> None:
        """Gives a value a second name."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name], name=name))

    def save(
        self,
        path: str,
        *,
        inputs: Mapping[str, Sequence[str | int]],
        outputs: Mapping[str, Sequence[str | int]],
        properties: Mapping[str, str],
    ) -> None:
        """Writes the graph.

        Args:
            path: The file.
            inputs: Name -> names or sizes of the axes; int32.
            outputs: Name -> names or sizes of the axes; float32.
            properties: Facts about the model.
        """
        helper, types = self._onnx.helper, self._onnx.TensorProto
        graph = helper.make_graph(
            self._nodes,
            "albert",
            [helper.make_tensor_value_info(n, types.INT32, axes) for n, axes in inputs.items()],
            [helper.make_tensor_value_info(n, types.FLOAT, axes) for n, axes in outputs.items()],
            [
                self._onnx.numpy_helper.from_array(array, name)
                for name, array in self._constants.items()
            ],
        )
        model = helper.make_model(
            graph,
            producer_name="albert_zh",
            opset_imports=[helper.make_opsetid("", _OPERATORS)],
            ir_version=_FILE_VERSION,
        )
        helper.set_model_props(model, dict(properties))
        self._onnx.checker.check_model(model)
        with open(path, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
