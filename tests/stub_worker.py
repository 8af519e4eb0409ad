"""Stands for the process with the language model: the same lines, no torch, and every bad habit.

As a script it is started as `<python> -m precompute.own_text <run folder>` is; `stub_python` writes
the `<python>`. What it does is in the text it is asked to read, or, when it starts, in the name of
the run's folder. Words of the planted run fire their latent with 1.0, "einstein" latent 1 as well.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def stub_python(folder: Path) -> Path:
    """An executable that runs this file, whatever module it is told to run."""
    path = folder / "stub-python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{__file__}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def _say(body: object) -> None:
    sys.stdout.write(json.dumps(body) + "\n")
    sys.stdout.flush()


def _start(name: str) -> None:
    if name == "refuses":
        _say({"error": "package all-minilm is missing"})
        sys.exit(1)
    if name == "lacks":
        sys.exit("ModuleNotFoundError: No module named 'transformers'")
    if name == "hangs":
        sys.stdin.read()  # until the app ends
    if name == "babbles":
        sys.stdout.write("Loading weights: 100%\n")
    if name == "other":
        _say({"hello": 1})
    _say({"ready": {"model": "stub", "room": 126}})


def _answer(number: int, text: str) -> dict[str, object]:
    sys.path.insert(0, str(ROOT))
    from tests.planted import labels

    latents = {label: latent for latent, label in enumerate(labels())}
    tokens = []
    for match in re.finditer(r"\w+|[^\w\s]", text):
        word = match.group().lower()
        fired = [latents[word]] if word in latents else []
        fired += [1] if word == "einstein" else []
        tokens.append([*match.span(), fired, [1.0, 0.5][: len(fired)]])
    return {"id": number, "n_tokens": len(tokens), "tokens": tokens[:126]}


def _misbehave(number: int, text: str) -> None:
    """One bad habit; each is the whole text."""
    good = {"id": number, "n_tokens": 1, "tokens": [[0, 1, [3], [1.0]]]}
    bodies: dict[str, object] = {
        "no object": [1, 2],
        "no tokens": {"id": number, "n_tokens": 1},
        "other id": good | {"id": number + 1},
        "outside": good | {"tokens": [[0, 10_000, [3], [1.0]]]},
        "backwards": good | {"tokens": [[3, 1, [3], [1.0]]]},
        "no such latent": good | {"tokens": [[0, 1, [32], [1.0]]]},
        "negative latent": good | {"tokens": [[0, 1, [-1], [1.0]]]},
        "infinite": good | {"tokens": [[0, 1, [3], [float("inf")]]]},
        "not a number": good | {"tokens": [[0, 1, [3], [float("nan")]]]},
        "uneven": good | {"tokens": [[0, 1, [3, 4], [1.0]]]},
        "too few": good | {"n_tokens": 0},
        "refused": {"id": number, "error": "the run keeps no encoders of sae-8"},
    }
    if text in bodies:
        _say(bodies[text])
    elif text == "garbage":
        sys.stdout.write("\x00\x1b[31m<b>{{{[[[\n")
    elif text == "deep":
        sys.stdout.write("[" * 200_000 + "\n")
    elif text == "endless line":
        while True:
            sys.stdout.write("x" * 65536)
    elif text == "flood":
        while True:
            _say(good)
    elif text == "dies":
        sys.exit(3)
    elif text == "hangs":
        sys.stdin.read()  # until the app ends
    elif text == "slow":
        time.sleep(1)
        _say(good)
    elif text == "eats memory":
        eaten = []
        while len(eaten) < 64:  # 4 GiB
            eaten.append(bytearray(64 << 20))
        _say(good)
    elif text == "fills the log":
        for _ in range(200):
            sys.stderr.write("x" * 65536)
        _say(good)
    else:
        _say(_answer(number, text))
    sys.stdout.flush()


if __name__ == "__main__":
    _start(Path(sys.argv[-1]).name)
    for line in sys.stdin:
        request = json.loads(line)
        _misbehave(request["id"], request["text"])
