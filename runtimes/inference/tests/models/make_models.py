"""Makes the small models beside this file. Run it with `pip install onnx`; the results are checked in.

Their operator sets and the IR version are fixed, so that any supported ONNX Runtime loads them.
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h

HERE = pathlib.Path(__file__).parent


def save(name, nodes, inputs, outputs, initializers=(), ml=False):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    opsets = [h.make_opsetid("", 17)] + ([h.make_opsetid("ai.onnx.ml", 3)] if ml else [])
    model = h.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="mlinfra-tests")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, HERE / f"{name}.onnx")


def value(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def constant(name, number, kind=np.float32):
    return onnx.numpy_helper.from_array(np.array(number, dtype=kind), name)


pair = ["batch", 2]

# y = 2x and y = 3x: two versions of one model.
for name, factor in [("double", 2), ("triple", 3)]:
    save(
        name,
        [h.make_node("Mul", ["x", "factor"], ["y"])],
        [value("x", T.FLOAT, pair)],
        [value("y", T.FLOAT, pair)],
        [constant("factor", factor)],
    )

# y = x / 0: never finite.
save(
    "infinite",
    [h.make_node("Div", ["x", "zero"], ["y"])],
    [value("x", T.FLOAT, pair)],
    [value("y", T.FLOAT, pair)],
    [constant("zero", 0)],
)

# Another output name than the other models have.
save("renamed", [h.make_node("Neg", ["x"], ["z"])], [value("x", T.FLOAT, pair)], [value("z", T.FLOAT, pair)])

# Every datatype, unchanged.
kinds = {
    "BOOL": T.BOOL, "UINT8": T.UINT8, "UINT16": T.UINT16, "UINT32": T.UINT32, "UINT64": T.UINT64,
    "INT8": T.INT8, "INT16": T.INT16, "INT32": T.INT32, "INT64": T.INT64,
    "FP16": T.FLOAT16, "FP32": T.FLOAT, "FP64": T.DOUBLE, "BYTES": T.STRING,
}
save(
    "datatypes",
    [h.make_node("Identity", [f"in_{k}"], [f"out_{k}"]) for k in kinds],
    [value(f"in_{k}", t, ["n"]) for k, t in kinds.items()],
    [value(f"out_{k}", t, ["n"]) for k, t in kinds.items()],
)
save("text", [h.make_node("Identity", ["text"], ["same"])], [value("text", T.STRING, ["n"])], [value("same", T.STRING, ["n"])])

# Adds one as often as it is told to: as slow as a test needs it.
body = h.make_graph(
    [h.make_node("Identity", ["go"], ["go_on"]), h.make_node("Add", ["before", "one"], ["after"])],
    "step",
    [value("i", T.INT64, []), value("go", T.BOOL, []), value("before", T.INT64, [])],
    [value("go_on", T.BOOL, []), value("after", T.INT64, [])],
    [constant("one", 1, np.int64)],
)
save(
    "count",
    [h.make_node("Loop", ["times", "yes", "zero"], ["counted"], body=body)],
    [value("times", T.INT64, [])],
    [value("counted", T.INT64, [])],
    [constant("yes", True, np.bool_), constant("zero", 0, np.int64)],
)

# A classifier as skl2onnx writes it by default: the probabilities are a list of maps from class to probability.
classes = ["cat", "dog"]
map_type = h.make_map_type_proto(T.STRING, h.make_tensor_type_proto(T.FLOAT, []))
save(
    "zipmap",
    [h.make_node("ZipMap", ["x"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=classes)],
    [value("x", T.FLOAT, pair)],
    [h.make_value_info("probabilities", h.make_sequence_type_proto(map_type))],
    ml=True,
)

# An output that the protocol has no form for.
save(
    "sequence",
    [h.make_node("SequenceConstruct", ["x"], ["all"])],
    [value("x", T.FLOAT, pair)],
    [h.make_value_info("all", h.make_sequence_type_proto(h.make_tensor_type_proto(T.FLOAT, pair)))],
)

# Weights that optimization folds, fuses, transposes and packs: convolution with batch normalization, scale and shift,
# and a matrix product. Sessions that share the weights must compute what one session alone computes.
random = np.random.default_rng(7)


def weight(name, *shape, low=-1.0):
    return onnx.numpy_helper.from_array(random.uniform(low, 1, shape).astype(np.float32), name)


save(
    "fused",
    [
        h.make_node("Conv", ["x", "c1", "b1"], ["h1"], pads=[1, 1, 1, 1]),
        h.make_node("BatchNormalization", ["h1", "scale", "shift", "mean", "var"], ["h2"]),
        h.make_node("Relu", ["h2"], ["h3"]),
        h.make_node("Conv", ["h3", "c2"], ["h4"], pads=[1, 1, 1, 1]),
        h.make_node("Mul", ["h4", "times"], ["h5"]),
        h.make_node("Add", ["h5", "plus"], ["h6"]),
        h.make_node("GlobalAveragePool", ["h6"], ["h7"]),
        h.make_node("Flatten", ["h7"], ["h8"]),
        h.make_node("Gemm", ["h8", "g", "gb"], ["h9"], transB=1),
        h.make_node("Transpose", ["m"], ["mt"], perm=[1, 0]),
        h.make_node("MatMul", ["h9", "mt"], ["h10"]),
        h.make_node("Add", ["h10", "mb"], ["y"]),
    ],
    [value("x", T.FLOAT, ["batch", 3, 8, 8])],
    [value("y", T.FLOAT, ["batch", 4])],
    [
        weight("c1", 8, 3, 3, 3), weight("b1", 8), weight("scale", 8), weight("shift", 8), weight("mean", 8),
        weight("var", 8, low=0.1), weight("c2", 8, 8, 3, 3), weight("times", 8, 1, 1), weight("plus", 8, 1, 1),
        weight("g", 16, 8), weight("gb", 16), weight("m", 4, 16), weight("mb", 4),
    ],
)
