"""From text to a trained SAE: our route against sae-lens' runner, tokens a second end to end.

    python -m benchmarks.training_route [--tokens 98304] [--latents 4096] [--bfloat16]

A GPT-2 with random weights is saved to a folder once; both routes read it from there before the
clock starts. Both then take the same contexts of the same token ids, the same place in the model,
batch, width, k, learning rate and precision, read every token once, and end with a saved SAE:

- ours: `harvest` (activations to disk), `row_statistics`, `train_sae`, which also sets the exact
  threshold and measures the SAE on training and held-out rows;
- sae-lens: `LanguageModelSAETrainingRunner` on a `TransformerBridge`, with a mixing buffer
  of only two batches, because what is left in it at the end was read for nothing.

The routes take turns. Before that, both must find the same activations for the same tokens. The
share of variance explained on held-out rows, each at its exact threshold, says that both learnt;
the starts differ (each route's own), so it is no comparison.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sae_lens import (
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    LanguageModelSAERunnerConfig,
    LanguageModelSAETrainingRunner,
    LoggingConfig,
)
from transformer_lens.model_bridge import TransformerBridge

from benchmarks.random_gpt2 import CONTEXT, make_model, random_text
from benchmarks.sae_lens_side import (
    NO_CUDA,
    device_line,
    is_there,
    quiet,
    synchronise,
)
from benchmarks.turns import machine, ratio, take_turns
from precompute.config import ModelConfig, SaeSuiteConfig
from precompute.dictionary import Dictionary, exact_threshold, fidelity
from precompute.harvest import harvest
from precompute.initialisation import row_statistics
from precompute.learned import dictionary_of
from precompute.sources import load_language_model
from precompute.suite import SaeTask, train_sae
from precompute.text import TokenisedText

CONTEXTS_AT_ONCE, HELDOUT_CONTEXTS = 32, 64
LEARNING_RATE = 4e-4


@dataclass(frozen=True)
class Job:
    """What both routes do."""

    folder: Path
    model: ModelConfig
    layer: int
    latents: int
    k: float
    batch: int
    bfloat16: bool
    device: torch.device


class Routes:
    """Both routes over one model and text; `parts` has the seconds of ours, `trained` the SAEs."""

    def __init__(self, job: Job, text: TokenisedText) -> None:
        self.job, self.text = job, text
        self.language_model = load_language_model(job.model)
        self.bridge: Any = TransformerBridge.boot_transformers(
            job.model.source, device=str(job.device)
        )
        self.hook = f"blocks.{job.layer - 1}.hook_resid_post"
        train = text.token_ids[: len(text.splits["train"]) * CONTEXT].reshape(-1, CONTEXT)
        self.dataset = Dataset.from_dict({"input_ids": train.tolist()})
        self.parts: list[tuple[float, float]] = []
        self.trained: dict[str, Dictionary] = {}
        self.heldout = harvest(
            job.model, self.language_model, text, "heldout", job.folder / "rows", job.device
        )
        self._check_rows()

    def _check_rows(self) -> None:
        """Raises AssertionError when the routes do not read the same place in the model."""
        ids = self.text.token_ids[-HELDOUT_CONTEXTS * CONTEXT :].reshape(-1, CONTEXT)[:1]
        with torch.no_grad():
            tokens = torch.from_numpy(ids.astype(np.int64)).to(self.job.device)
            _, cache = self.bridge.run_with_cache(tokens, names_filter=[self.hook])
        theirs = cache[self.hook][0].float().cpu().numpy()
        # float16 on disk and, if asked for, bfloat16 in the model
        tolerance = 0.1 if self.job.bfloat16 else 5e-3
        np.testing.assert_allclose(self.heldout[:CONTEXT], theirs, atol=tolerance, rtol=tolerance)

    def ours(self, number: int) -> float:
        job, folder = self.job, self.job.folder / f"ours-{number}"
        folder.mkdir()
        shutil.copy(job.folder / "rows" / "heldout.npy", folder)
        started = time.perf_counter()
        rows = harvest(job.model, self.language_model, self.text, "train", folder, job.device)
        harvested = time.perf_counter()
        config = SaeSuiteConfig(
            widths=(job.latents,),
            k=job.k,
            epochs=1.0,
            batch_size=job.batch,
            learning_rate=LEARNING_RATE,
            initialisation="random",
            bfloat16=job.bfloat16,
        )
        statistics = row_statistics(rows, self.text.token_ids[: len(rows)])
        device = str(job.device)
        task = SaeTask("sae", job.latents, config, 0, folder, statistics, folder / "sae", device)
        train_sae(task)
        synchronise(job.device)
        ended = time.perf_counter()
        self.parts.append((harvested - started, ended - harvested))
        self.trained["ours"] = Dictionary.load(folder / "sae")
        shutil.rmtree(folder)
        return ended - started

    def sae_lens(self, number: int) -> float:
        job = self.job
        n_tokens = len(self.dataset) * CONTEXT
        torch.manual_seed(0)
        started = time.perf_counter()
        config = LanguageModelSAERunnerConfig(
            sae=BatchTopKTrainingSAEConfig(
                d_in=self.heldout.shape[1], d_sae=job.latents, k=job.k, decoder_init_norm=1.0
            ),
            model_name=job.model.source,
            hook_name=self.hook,
            dataset_path="local",
            streaming=False,
            context_size=CONTEXT,
            prepend_bos=False,
            store_batch_size_prompts=CONTEXTS_AT_ONCE,
            n_batches_in_buffer=2 * job.batch // CONTEXT,
            train_batch_size_tokens=job.batch,
            training_tokens=n_tokens,
            lr=LEARNING_RATE,
            device=str(job.device),
            autocast=job.bfloat16,
            autocast_lm=job.bfloat16,
            model_from_pretrained_kwargs={},
            output_path=str(job.folder / f"sae-lens-{number}"),
            checkpoint_path=None,
            verbose=False,
            logger=LoggingConfig(log_to_wandb=False),
        )
        runner = LanguageModelSAETrainingRunner(
            config, override_dataset=self.dataset, override_model=self.bridge
        )
        sae = runner.run()
        synchronise(job.device)
        seconds = time.perf_counter() - started
        assert isinstance(sae, BatchTopKTrainingSAE)
        self.trained["sae-lens"] = dictionary_of(sae)
        return seconds


def report(routes: Routes, rounds: int) -> None:
    """Take turns and print the table."""
    with quiet():
        figures = take_turns({"ours": routes.ours, "sae-lens": routes.sae_lens}, rounds)
    n_tokens = len(routes.dataset) * CONTEXT
    print("route      s median     min  tokens/s  VE held out  s of ours / it [95 %]")
    for name, seconds in figures.items():
        trained = routes.trained[name].to(torch.device("cpu"))
        trained = trained.with_threshold(exact_threshold(trained, routes.heldout, routes.job.k))
        explained = fidelity(trained, routes.heldout).variance_explained
        median = np.median(seconds)
        share = "" if name == "ours" else str(ratio(figures["ours"], seconds))
        rate = n_tokens / median
        print(
            f"{name:9} {median:9.2f} {seconds.min():7.2f} {rate:9,.0f} {explained:12.3f}  {share}"
        )
    harvested, trained = np.median(np.asarray(routes.parts), axis=0)
    print(f"of ours: activations {harvested:.2f} s, training {trained:.2f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=98_304, help="rounded down to batches")
    parser.add_argument("--latents", type=int, default=4_096)
    parser.add_argument("--k", type=float, default=16)
    parser.add_argument("--batch", type=int, default=4_096)
    parser.add_argument("--d-model", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--layer", type=int, default=3, help="blocks before the place that is read")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bfloat16", action="store_true", help="both models and trainings")
    parser.add_argument("--device", nargs="+", default=["cpu", "cuda"])
    options = parser.parse_args()
    n_tokens = options.tokens // options.batch * options.batch
    if n_tokens == 0 or options.batch % CONTEXT:
        parser.error(f"--tokens must hold a batch, and --batch be a multiple of {CONTEXT}")
    print(machine())
    for device in options.device:
        if not is_there(device):
            print(f"\n{device}: {NO_CUDA}")
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            with quiet():
                n_vocabulary = make_model(folder / "model", options.d_model, options.layers)
            model = ModelConfig(
                source=str(folder / "model"),
                layer=options.layer,
                context_size=CONTEXT,
                batch_contexts=CONTEXTS_AT_ONCE,
                bfloat16=options.bfloat16,
            )
            place = torch.device(device)
            latents, k, batch = options.latents, options.k, options.batch
            job = Job(folder, model, options.layer, latents, k, batch, options.bfloat16, place)
            precision = "bfloat16" if options.bfloat16 else "float32"
            print(
                f"\n{device_line(place)}; {n_tokens} tokens, {options.d_model} -> {latents}, "
                f"batch {batch}, {precision}, {options.rounds} rounds"
            )
            text = random_text(n_tokens, HELDOUT_CONTEXTS, n_vocabulary)
            with quiet():
                routes = Routes(job, text)
            report(routes, options.rounds)


if __name__ == "__main__":
    main()
