"""Asks the served model about digits that it was not trained on. Needs nothing but Python.

usage: python3 predict.py ENDPOINT [MODEL]
"""

import csv
import json
import pathlib
import random
import sys
import urllib.error
import urllib.request

HOW_MANY = 10


def held_out():
    """Some of the rows that train.py holds out; it draws them in the same way."""
    with open(pathlib.Path(__file__).parent / "digits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    drawn = random.Random(42).sample(range(len(rows)), len(rows) // 5)
    return [rows[number] for number in drawn[:HOW_MANY]]


def ask(url, body=None):
    """The answer to a GET, or to a POST of a JSON body."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answered {error.code}: {error.read().decode(errors='replace')}")
    except (OSError, ValueError) as error:
        sys.exit(f"{url} does not answer: {error}")


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    endpoint = sys.argv[1].rstrip("/")
    name = sys.argv[2] if len(sys.argv) == 3 else "classifier"
    rows = held_out()
    truth = [int(row.pop("label")) for row in rows]
    pixels = [float(value) for row in rows for value in row.values()]
    request = {"inputs": [{"name": "pixels", "shape": [len(rows), 64], "datatype": "FP32", "data": pixels}]}
    answer = ask(f"{endpoint}/v2/models/{name}/infer", request)
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    labels, probabilities = outputs["label"], outputs["probabilities"]
    print(f"{name}, version {answer.get('model_version', '?')}, at {endpoint}\n")
    print("  digit  read as  how sure")
    for i, (true, read) in enumerate(zip(truth, labels)):
        print(f"    {true}       {read}       {max(probabilities[10 * i : 10 * i + 10]):4.0%}{'' if true == read else '   wrong'}")
    right = sum(true == read for true, read in zip(truth, labels))
    print(f"\n{right} of {len(rows)} digits were read correctly.")


main()
