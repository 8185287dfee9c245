"""Outputs of a frozen graph and sums of a checkpoint's arrays, for test_tf115.py.

  python frozen_graph_outputs.py GRAPH.pb CHECKPOINT INPUTS.npz OUTPUTS.npz

Any TensorFlow from 1.15 on runs it, and Python 3.7 reads it.
"""

import sys

import numpy as np


def main(graph_file, checkpoint, inputs, outputs):
    import tensorflow as tf

    tf1 = tf.compat.v1
    with np.load(inputs) as arrays:
        batch = {name + ":0": arrays[name] for name in arrays.files}
    with open(graph_file, "rb") as file:
        graph_def = tf1.GraphDef.FromString(file.read())
    with tf1.Graph().as_default() as graph:
        tf1.import_graph_def(graph_def, name="")
    with tf1.Session(graph=graph) as session:
        results = {"probabilities": session.run("loss/Softmax:0", batch)}
    reader = tf.train.load_checkpoint(checkpoint)
    for name in reader.get_variable_to_shape_map():
        results["sum of " + name] = reader.get_tensor(name).astype(np.float64).sum()
    results["version"] = np.array(tf.__version__)
    np.savez(outputs, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
