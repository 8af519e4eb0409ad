"""How a run grows with its latents: time, memory and bytes of every stage, and what comes next.

    python -m benchmarks.growth --out FOLDER --latents 6144 24576 49152 [--d-in 768]
        [--documents 3000] [--predict 768 1536 3072 6144 12288 24576 49152 98304] [--steps 2000]

For each number a suite of two generated SAEs (`generated_suite.py`), a quarter of it and itself, on
the same text; every stage runs in a process of its own (`growth_stages.py`), one process at a time,
and may use all cores. What is measured is kept in `<out>/figures.jsonl`: a second call measures
only what is missing, and with `--predict` alone nothing at all.

The meta-SAE is trained for a few steps only; the time of the recipe's `--steps` is that of so many
steps. Predictions come from a fit of each stage's processor seconds to what it should grow
with (`TERMS`), no coefficient below zero, and are given as seconds of one core; wall time is less
where a stage uses both cores. Memory and bytes are fitted to a line.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from benchmarks.generated_suite import config_text
from benchmarks.turns import machine

FEW_STEPS = 10  # of every meta-SAE
RECIPE_STEPS, TRAININGS, RECIPE_BATCH, ROWS_PER_META = 2000, 9, 8192, 21.0
SMALLER = 4  # the other SAE of a suite has so many times fewer latents
STAGES = ("saes", "step", "meta", "parts", "evidence", "names", "stitching", "tables")
FIGURES_NAME = "figures.jsonl"


@dataclass(frozen=True)
class Suite:
    """What a run's cost depends on: latents of its SAEs, ascending, and tokens of the text."""

    widths: tuple[int, ...]
    tokens: float

    @property
    def latents(self) -> float:
        return float(sum(self.widths))

    @property
    def encoded(self) -> float:
        """Latents times tokens."""
        return self.latents * self.tokens

    @property
    def pairs(self) -> float:
        """Products of the sizes of all pairs of SAEs: cosines between them."""
        return float(sum(a * b for a, b in combinations(self.widths, 2)))

    @property
    def cosines(self) -> float:
        """Cosines of every latent with every latent."""
        return self.latents**2

    @property
    def paired(self) -> float:
        """Latents of the larger SAE of every pair."""
        return float(sum(b for _, b in combinations(self.widths, 2)))

    @property
    def meta_products(self) -> float:
        """Products of decoder rows and meta-latents of the widest SAE."""
        return self.widths[-1] ** 2 / ROWS_PER_META

    @property
    def step(self) -> float:
        """Entries of a training batch: decoder rows of it times meta-latents."""
        return min(self.widths[-1], RECIPE_BATCH) * self.widths[-1] / ROWS_PER_META


# what each stage should grow with, beside a constant
TERMS: dict[str, tuple[Callable[[Suite], float], ...]] = {
    "step": (lambda suite: suite.step,),
    "meta": (lambda suite: suite.step, lambda suite: suite.meta_products),
    "saes": (lambda suite: suite.tokens, lambda suite: suite.encoded, lambda suite: suite.latents),
    "parts": (lambda suite: suite.encoded, lambda suite: suite.latents),
    "evidence": (lambda suite: suite.encoded, lambda suite: suite.latents),
    "names": (lambda suite: suite.latents, lambda suite: suite.meta_products),
    "stitching": (
        lambda suite: suite.encoded,
        lambda suite: suite.pairs,
        lambda suite: suite.paired,
    ),
    "tables": (lambda suite: suite.latents, lambda suite: suite.cosines),
}


@dataclass(frozen=True)
class Measured:
    """One stage of one suite."""

    stage: str
    widths: tuple[int, ...]
    d_in: int
    documents: int | None
    tokens: float
    seconds: float
    processor_seconds: float
    peak_gib: float
    bytes: int

    @property
    def suite(self) -> Suite:
        return Suite(self.widths, self.tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder that is made or filled")
    parser.add_argument("--latents", type=int, nargs="*", default=[], help="of each suite's widest")
    parser.add_argument("--d-in", type=int, default=768)
    parser.add_argument("--documents", type=int, help="of the repository's text; all of it")
    parser.add_argument("--predict", type=int, nargs="*", default=[], help="latents of a suite")
    parser.add_argument("--tokens", type=float, help="of the text of that suite; the most measured")
    parser.add_argument("--steps", type=int, default=RECIPE_STEPS, help="of each of its meta-SAEs")
    options = parser.parse_args()
    path = options.out / FIGURES_NAME
    print(machine())
    for width in options.latents:
        measure(options.out, width, options.d_in, options.documents, path)
    figures = [figure for figure in load(path) if figure.d_in == options.d_in]
    show(figures)
    if options.predict and not figures:
        parser.error(f"nothing is measured in {path}: name two sizes or more with --latents first")
    if options.predict:
        tokens = options.tokens or max(figure.tokens for figure in figures)
        predict(figures, Suite(tuple(sorted(options.predict)), tokens), options.steps)


def measure(out: Path, width: int, d_in: int, documents: int | None, path: Path) -> None:
    """Run what is missing of one suite, stage after stage, each in a process of its own."""
    widths = (width // SMALLER, width)
    done = {(one.stage, one.widths, one.d_in, one.documents) for one in load(path)}
    missing = [stage for stage in STAGES if (stage, widths, d_in, documents) not in done]
    if not missing:
        return
    suite = out / f"suite-{d_in}-{width}"
    if not (suite / f"generated_{width}.toml").exists():
        arguments = ["--out", str(suite), "--d-in", str(d_in), "--latents", *map(str, widths)]
        _child("benchmarks.generated_suite", *arguments)
    config = suite / f"growth_{width}_{documents or 'all'}.toml"
    text = config_text(suite, list(widths), documents)
    config.write_text(f"{text}\n[meta]\nsteps = {FEW_STEPS}\n", encoding="utf-8")
    for stage in missing:
        work = out / f"work-{config.stem}"
        arguments = [str(config), stage, "--work", str(work), "--out", str(out / "runs")]
        line = _child("benchmarks.growth_stages", *arguments)
        with path.open("a", encoding="utf-8") as file:
            of = {"stage": stage, "widths": widths, "d_in": d_in, "documents": documents}
            found = Measured(**of, **json.loads(line))
            file.write(json.dumps(asdict(found)) + "\n")
        print(
            f"{width:>9,} {stage:10} {found.seconds:8.1f} s {found.peak_gib:6.2f} GiB", flush=True
        )


def _child(module: str, *arguments: str) -> str:
    """The last line that a module prints as a program of its own."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        killed = done.returncode == -signal.SIGKILL
        why = "was killed, as happens without memory" if killed else "failed, as it says above"
        sys.exit(f"{module} {why}. The same call goes on with it: what is measured is kept")
    return done.stdout.strip().splitlines()[-1]


def load(path: Path) -> list[Measured]:
    """Everything measured so far."""
    if not path.exists():
        return []
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [Measured(**row | {"widths": tuple(row["widths"])}) for row in rows]


def show(figures: list[Measured]) -> None:
    """A line a stage and suite."""
    heads = ("wall s", "core s", "GiB", "MB")
    print(f"\n{'latents':>19} {'tokens':>9} {'stage':9}", *(f"{head:>8}" for head in heads))
    in_order = sorted(figures, key=lambda one: (one.tokens, one.widths, STAGES.index(one.stage)))
    for one in in_order:
        name = " + ".join(f"{width:,}" for width in one.widths)
        times = f"{one.seconds:8.1f} {one.processor_seconds:8.1f}"
        sizes = f"{one.peak_gib:8.2f} {one.bytes / 1e6:8.1f}"
        print(f"{name:>19} {one.tokens:9,.0f} {one.stage:9} {times} {sizes}")


def predict(figures: list[Measured], suite: Suite, steps: int) -> None:
    """What each stage would take for another suite on the same text."""
    print(
        f"\n{', '.join(f'{width:,}' for width in suite.widths)} latents, {suite.tokens:,.0f} tokens"
    )
    print(f"{'stage':10} {'core s':>10} {'GiB':>6} {'MB':>10}   fitted to")
    total = 0.0
    for stage in STAGES:
        own = [figure for figure in figures if figure.stage == stage]
        if not own:
            continue
        seconds = fitted(own, suite, TERMS[stage], [one.processor_seconds for one in own])
        widest = (lambda one: float(one.widths[-1]),)
        peak = fitted(own, suite, widest, [one.peak_gib for one in own])
        size = fitted(own, suite, (lambda one: one.latents,), [float(one.bytes) for one in own])
        if stage == "step":
            print(f"{'a step':10} {seconds:10.2f}")
            total += steps * TRAININGS * seconds
            continue
        total += seconds
        print(f"{stage:10} {seconds:10.0f} {peak:6.2f} {size / 1e6:10.0f}   {len(own)} suites")
    print(f"all, with {TRAININGS} meta-SAEs of {steps:,} steps: {total / 3600:.2f} core hours")


def fitted(
    figures: list[Measured],
    suite: Suite,
    terms: tuple[Callable[[Suite], float], ...],
    values: list[float],
) -> float:
    """The value for `suite` by a fit with coefficients of at least 0; relative errors count."""
    columns = [[1.0, *(term(one.suite) for term in terms)] for one in figures]
    weight = 1 / np.maximum(np.asarray(values), 1e-9)[:, None]
    scale = np.maximum(np.abs(np.asarray(columns)).max(0), 1e-9)
    found, _ = nnls(np.asarray(columns) / scale * weight, np.asarray(values) * weight[:, 0])
    return float(found @ (np.array([1.0, *(term(suite) for term in terms)]) / scale))


if __name__ == "__main__":
    main()
