"""One stage of a run in this process, with what it took: the child of `benchmarks/growth.py`.

    python -m benchmarks.growth_stages CONFIG STAGE --work FOLDER --out FOLDER

Prints one line of JSON: wall and processor seconds, peak resident memory of this process, and bytes
that the stage left in its folder. Everything that earlier stages leave must be there.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from precompute import assembly
from precompute.config import RunConfig, load_config
from precompute.decomposition import fit_meta_sae
from precompute.directions import decoder_rows
from precompute.evidence.stage import gather_evidence
from precompute.meta_suite import train_meta_suite
from precompute.names.stage import give_names
from precompute.passes.stage import counted_rows
from precompute.pipeline import make_parts, make_saes
from precompute.published.finding import with_found_saes
from precompute.publishing import publish
from precompute.sources import load_language_model
from precompute.stages import Places, Stages, stage_folders
from precompute.stitching.stage import StitchTask, stitch
from precompute.textcache import made_text, stored_text

FEW_STEPS, MORE_STEPS = 4, 16  # of the meta-SAE; the difference is what a step takes
STEP_ROUNDS = 3  # the first of a process is slow; the median counts
GIB = 1 << 30


@dataclass(frozen=True)
class Inputs:
    """A config with its SAEs found, and where its stages read and write."""

    config: RunConfig
    text: str
    places: Places
    stages: Stages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    device = torch.device("cpu")
    places = Places(options.out, options.work, options.work, device, workers=1)
    config = with_found_saes(load_config(options.config))
    stages = stage_folders(config, load_language_model(config.model), places)
    inputs = Inputs(config, options.config.read_text(), places, stages)
    run, folder = STAGES[options.stage]
    before = size_of(folder(inputs))
    started, processor = time.perf_counter(), time.process_time()
    own = run(inputs) or {}
    figures = {
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - processor,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB,
        "bytes": size_of(folder(inputs)) - before,
        "tokens": float(sum(counted_rows(stages.activations, config.latents).values())),
    }
    print(json.dumps(figures | own))


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder, 0 when there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _saes(inputs: Inputs) -> None:
    """Text, activations (once for all suites of a folder) and the SAEs as the run keeps them."""
    config, stages = inputs.config, inputs.stages
    language_model = load_language_model(config.model)
    text = made_text(config, language_model, stages.text, inputs.places.text_folder)
    make_saes(config, language_model, text, stages, inputs.places)


def _step(inputs: Inputs) -> dict[str, float]:
    """Of one step of the recipe's meta-SAE, not of this whole stage."""
    config = inputs.config
    rows = decoder_rows(inputs.stages.saes / config.decomposed_sae_id)
    differences = []
    for _ in range(STEP_ROUNDS):
        took = []
        for steps in (FEW_STEPS, MORE_STEPS):
            recipe = config.meta.model_copy(update={"steps": steps})
            started, processor = time.perf_counter(), time.process_time()
            with tempfile.TemporaryDirectory() as folder:
                fit_meta_sae(
                    rows,
                    config.meta_width,
                    recipe,
                    config.seed,
                    Path(folder),
                    "step",
                    inputs.places.device,
                )
            took.append((time.perf_counter() - started, time.process_time() - processor))
        differences.append([more - few for few, more in zip(*took, strict=True)])
    wall, processor = (
        statistics.median(some) / (MORE_STEPS - FEW_STEPS)
        for some in zip(*differences, strict=True)
    )
    return {"seconds": wall, "processor_seconds": processor}


def _meta(inputs: Inputs) -> None:
    """All meta-SAEs with the few steps of the config."""
    config, stages = inputs.config, inputs.stages
    for sae_id, width in config.meta_widths.items():
        folder = stages.meta_of(sae_id, config)
        parent, places = stages.saes / sae_id, inputs.places
        train_meta_suite(
            parent, folder, width, config.meta, config.seed, str(places.device), places.workers
        )


def _parts(inputs: Inputs) -> None:
    make_parts(inputs.config, inputs.stages, inputs.places)


def _evidence(inputs: Inputs) -> None:
    gather_evidence(inputs.config, inputs.stages, str(inputs.places.device), inputs.places.workers)


def _names(inputs: Inputs) -> None:
    config, stages = inputs.config, inputs.stages
    give_names(config, config.names, stages, stages.names, inputs.places.workers)


def _stitching(inputs: Inputs) -> None:
    task = StitchTask(inputs.config, inputs.stages, str(inputs.places.device))
    stitch(task, stored_text(inputs.stages.text), inputs.places.workers)


def _tables(inputs: Inputs) -> None:
    """Every table put together and written."""
    config, stages = inputs.config, inputs.stages
    language_model, text = load_language_model(config.model), stored_text(stages.text)
    tables = assembly.run_tables(config, language_model, text, stages)
    publish(config, inputs.text, tables, language_model, text, inputs.places.out / config.name)


Stage = tuple[Callable[[Inputs], dict[str, float] | None], Callable[[Inputs], Path]]
STAGES: dict[str, Stage] = {
    "saes": (_saes, lambda inputs: inputs.stages.saes),
    "step": (_step, lambda inputs: inputs.stages.meta),
    "meta": (_meta, lambda inputs: inputs.stages.meta),
    "parts": (_parts, lambda inputs: inputs.stages.tables),
    "evidence": (_evidence, lambda inputs: inputs.stages.evidence),
    "names": (_names, lambda inputs: inputs.stages.names),
    "stitching": (_stitching, lambda inputs: inputs.stages.stitching),
    "tables": (_tables, lambda inputs: inputs.places.out / inputs.config.name),
}

if __name__ == "__main__":
    main()
