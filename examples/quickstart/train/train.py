"""Trains a small neural network that reads handwritten digits, and writes it as ONNX.

It is told everything by its environment:
MLINFRA_INPUTS   a folder with the data, named as in main.hcl: digits
MLINFRA_PARAMS   a JSON file with the parameters
MLINFRA_METRICS  a file to append measurements to, one JSON object a line
MLINFRA_OUTPUT   a folder for what comes out: model.onnx and examples.json
"""

import csv
import json
import os
import pathlib
import random

import numpy as np
import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

INPUTS = pathlib.Path(os.environ["MLINFRA_INPUTS"])
OUTPUT = pathlib.Path(os.environ["MLINFRA_OUTPUT"])
METRICS = pathlib.Path(os.environ["MLINFRA_METRICS"])
PARAMS = json.loads(pathlib.Path(os.environ["MLINFRA_PARAMS"]).read_text())


def load():
    """The pixels (0 to 16) and labels, and which rows are held out. predict.py draws the same rows."""
    with open(INPUTS / "digits", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([int(row.pop("label")) for row in rows])
    pixels = np.array([[float(value) for value in row.values()] for row in rows], dtype=np.float32)
    held_out = np.zeros(len(rows), dtype=bool)
    held_out[random.Random(42).sample(range(len(rows)), len(rows) // 5)] = True
    return pixels, labels, held_out


def train(pixels, labels, held_out):
    """One pass over the data an epoch; what is measured on the held-out rows is shown live."""
    scaler = MaxAbsScaler().fit(pixels[~held_out])
    network = MLPClassifier(
        hidden_layer_sizes=(PARAMS["hidden_units"],),
        learning_rate_init=PARAMS["learning_rate"],
        random_state=PARAMS.get("seed", 0),
    )
    learn, check = scaler.transform(pixels[~held_out]), scaler.transform(pixels[held_out])
    for epoch in range(1, PARAMS["epochs"] + 1):
        network.partial_fit(learn, labels[~held_out], classes=np.arange(10))
        measured = {
            "step": epoch,
            "accuracy": round(network.score(check, labels[held_out]), 4),
            "loss": round(log_loss(labels[held_out], network.predict_proba(check)), 4),
        }
        with open(METRICS, "a") as file:
            print(json.dumps(measured), file=file)
        if epoch % 10 == 0:
            print(f"epoch {epoch}: {measured['accuracy']:.1%} of the held-out digits are read correctly", flush=True)
    return make_pipeline(scaler, network)


def convert(model):
    """The model as ONNX: any number of images in; out come labels and probabilities as plain tensors."""
    converted = convert_sklearn(
        model,
        initial_types=[("pixels", FloatTensorType([None, 64]))],
        final_types=[("label", None), ("probabilities", None)],
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    for tensor in [*converted.graph.input, *converted.graph.output]:
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(converted)
    return converted


def examples(pixels):
    """A request that every server must be able to answer before it lets this version serve."""
    return [
        {
            "inputs": [
                {"name": "pixels", "shape": list(pixels.shape), "datatype": "FP32", "data": pixels.ravel().tolist()}
            ],
            "outputs": [
                {"name": "label", "shape": [len(pixels)], "datatype": "INT64"},
                {"name": "probabilities", "shape": [len(pixels), 10], "datatype": "FP32"},
            ],
        }
    ]


pixels, labels, held_out = load()
print(f"{len(pixels)} images, {held_out.sum()} of them held out", flush=True)
model = train(pixels, labels, held_out)
onnx.save(convert(model), OUTPUT / "model.onnx")
(OUTPUT / "examples.json").write_text(json.dumps(examples(pixels[held_out][:5])))
