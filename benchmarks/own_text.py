"""What reading a reader's own text costs, and what encoders lose by 8 bits a weight.

    python -m benchmarks.own_text --run data/minilm --saes work/minilm/saes-<hash> \\
        --rows work/minilm/activations-<hash>/heldout.npy [--tokens 4000]

Fidelity: the same held-out activations encoded with the weights as they were trained (float32)
and as the run keeps them (`directions`, 8 bits). Firings agree when both encode one; the
correlation is over all pairs of token and latent that fire by either, 0 where one does not.
Times: the process of the app's page, started anew, then texts of 100 tokens that it has not seen.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from backend.manifest import read_manifest
from backend.reading import Question
from backend.text_worker import TextWorker
from precompute.dictionary import Dictionary
from precompute.own_text import read_encoder

N_TEXTS = 20
WORDS = "the king of a river and his bank was in north water old music light city they doctor"


def fidelity(folder: Path, saes: Path, sae_id: str, rows: torch.Tensor) -> dict[str, float]:
    """How far firings and activations of both sets of weights agree on `rows` [n, d_in]."""
    exact = Dictionary.load(saes / sae_id)
    stored = read_encoder(folder, sae_id)
    pairs = (
        exact.encoder.active(rows),
        stored.active(rows),
    )
    (here, a), (there, b) = [(index.numpy(), values.numpy()) for index, values in pairs]
    union = np.union1d(here, there)
    left, right = np.zeros(len(union)), np.zeros(len(union))
    left[np.searchsorted(union, here)] = a
    right[np.searchsorted(union, there)] = b
    both = (left > 0) & (right > 0)
    return {
        "active a token": len(here) / len(rows),
        "float firings kept": both.sum() / len(here),
        "8-bit firings right": both.sum() / len(there),
        "correlation, either": float(np.corrcoef(left, right)[0, 1]),
        "correlation, both": float(np.corrcoef(left[both], right[both])[0, 1]),
        "mean |error|, both": float(np.abs(left - right)[both].mean()),
        "largest lost": float(left[right == 0].max(initial=0.0)),
        "threshold": exact.lowest_threshold,
    }


def texts(n_texts: int, n_words: int) -> list[str]:
    """Different texts of words that are one token each."""
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS.split(), n_words)) for _ in range(n_texts)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("data/minilm"))
    parser.add_argument("--saes", type=Path, required=True, help="folder with a folder an SAE")
    parser.add_argument("--rows", type=Path, required=True, help="held-out activations, .npy")
    parser.add_argument("--tokens", type=int, default=4000)
    options = parser.parse_args()
    stored = np.load(options.rows, mmap_mode="r")
    places = np.linspace(0, len(stored) - 1, options.tokens).astype(np.int64)
    rows = torch.from_numpy(np.array(stored[places])).float()
    saes = pq.read_table(options.run / "saes.parquet").to_pylist()
    kept = pq.read_table(options.run / "directions.parquet", columns=["sae_id", "encoder_scale"])
    with_encoder = set(kept.filter(kept["encoder_scale"].is_valid())["sae_id"].to_pylist())
    readers = [sae for sae in saes if sae["sae_id"] in with_encoder]
    print(f"{options.tokens} held-out tokens")
    for sae in readers:
        print(sae["sae_id"])
        for name, value in fidelity(options.run, options.saes, sae["sae_id"], rows).items():
            print(f"  {name:22s} {value:9.5f}")
    short_hash = read_manifest(options.run).short_hash
    worker = TextWorker()
    asked = [
        Question(options.run.resolve(), short_hash, sae["sae_id"], sae["n_latents"], text)
        for sae in readers[:1]
        for text in texts(N_TEXTS + 1, 100)
    ]
    started = time.perf_counter()
    first = worker.read(asked[0])
    print(
        f"start and first text of {len(first.tokens)} tokens {time.perf_counter() - started:.1f} s"
    )
    seconds = []
    for question in asked[1:]:
        started = time.perf_counter()
        worker.read(question)
        seconds.append(time.perf_counter() - started)
    print(f"next texts: median {1000 * statistics.median(seconds):.0f} ms")
    status = Path(f"/proc/{worker.pid}/status").read_text()
    for line in status.splitlines():
        if line.startswith(("VmHWM", "VmData")):
            print(line)
    worker.stop()


if __name__ == "__main__":
    main()
