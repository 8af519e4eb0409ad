"""Command line: `python -m precompute run | add | check | list | ...`."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from backend.manifest import RunError
from backend.verify import verify_run
from precompute.config import ConfigError, RunConfig, load_config
from precompute.exports.commands import add_export_command
from precompute.finished_runs import add_finished_run_commands
from precompute.imports.commands import add_import_command
from precompute.model_labels.commands import add_label_commands

if TYPE_CHECKING:
    from precompute.stages import Places

log = logging.getLogger("precompute")

DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)
DISK_FULL_BYTES = 1 << 20  # less than this is left: the disk is full


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with a plain message when it did not."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (ConfigError, RunError) as error:
        log.error("%s", error)
        return 1
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _is_disk_full(error, options):
            raise
        log.error(
            "the disk is full (%s). Free some space and run the same command again; "
            "a run goes on where it stopped",
            getattr(error, "filename", None) or options.work,
        )
        return 1
    except KeyboardInterrupt:
        log.error("stopped. Run the same command again; a run goes on where it stopped")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m precompute", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="make a run from a config, or resume it")
    _add_places(run)
    run.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="what reads the text with each SAE: processes here, or tasks on the Ray cluster at "
        "RAY_ADDRESS (without it, a Ray of this machine alone)",
    )
    run.add_argument(
        "--max-memory",
        metavar="SIZE",
        help="of all processes that read the text with an SAE, e.g. 8GB (60%% of this machine's)",
    )
    run.add_argument(
        "--force",
        action="store_true",
        help="throw away all stages in the work folder, train again, and replace the run",
    )
    run.set_defaults(command=_run)
    add = commands.add_parser(
        "add", help="give a finished run the experiments that its config has beyond it"
    )
    _add_places(add)
    add.set_defaults(command=_add)
    entities = commands.add_parser("entities", help="list the entities chosen in advance")
    entities.add_argument("run", type=Path, help="folder of a run, e.g. data/minilm")
    entities.set_defaults(command=_entities)
    figures = commands.add_parser("figures", help="print the README's tables")
    figures.add_argument("run", type=Path, help="folder of a run, or the .tsv of a sweep")
    figures.set_defaults(command=_figures)
    sweep = commands.add_parser("sweep", help="measure training choices on a sample")
    sweep.add_argument("config", type=Path, help="a TOML file, e.g. precompute/sweeps/minilm.toml")
    sweep.add_argument("--table", type=Path, help="result (the config's name with .tsv)")
    sweep.add_argument("--work", type=Path, default=Path("work"), help="intermediate files (work)")
    sweep.add_argument("--text", type=Path, default=Path("corpora"), help="training text (corpora)")
    sweep.add_argument("--workers", type=int, default=0, help="processes (one a core)")
    sweep.set_defaults(command=_sweep)
    add_label_commands(commands)
    add_export_command(commands)
    add_import_command(commands)
    add_finished_run_commands(commands)
    return parser


def _add_places(command: argparse.ArgumentParser) -> None:
    """The config, where its run reads and writes, and what it computes on."""
    command.add_argument("config", type=Path, help="a TOML file, e.g. precompute/configs/tiny.toml")
    command.add_argument("--out", type=Path, default=Path("data"), help="folder of runs (data)")
    command.add_argument(
        "--work",
        type=Path,
        default=Path("work"),
        help="intermediate files (work); for a Ray cluster, on storage that all machines share",
    )
    command.add_argument("--text", type=Path, default=Path("corpora"), help="its text (corpora)")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    command.add_argument("--workers", type=int, default=0, help="processes on a CPU (one a core)")


def _run(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    from precompute.memory import memory_limit
    from precompute.pipeline import run  # here, so that check and list need no torch

    limit = memory_limit(options.max_memory)
    places = replace(_places(options, config), engine=options.engine, max_memory=limit)
    run(config, options.config.read_text(encoding="utf-8"), places, options.force)


def _add(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    from precompute.adding import add_experiments

    text = options.config.read_text(encoding="utf-8")
    add_experiments(config, text, _places(options, config))


def _places(options: argparse.Namespace, config: RunConfig) -> Places:
    import torch

    from precompute.stages import Places

    torch.use_deterministic_algorithms(True, warn_only=True)
    device = _device(options.device)
    return Places(
        out=options.out,
        work=options.work / config.name,
        text_folder=options.text,
        device=device,
        workers=options.workers or (os.cpu_count() or 1 if device.type == "cpu" else 1),
    )


def _figures(options: argparse.Namespace) -> None:
    from precompute.figures import run_figures, sweep_figures

    if options.run.suffix == ".tsv":
        sys.stdout.write(sweep_figures(options.run))
        return
    verify_run(options.run)
    sys.stdout.write(run_figures(options.run))


def _sweep(options: argparse.Namespace) -> None:
    from precompute.sweep import run_sweep

    work = options.work / f"sweep-{options.config.stem}"
    table = options.table or options.config.with_suffix(".tsv")
    run_sweep(options.config, options.text, work, table, options.workers or os.cpu_count() or 1)


def _entities(options: argparse.Namespace) -> None:
    verify_run(options.run)
    from precompute.entities import entity_report

    sys.stdout.write(entity_report(options.run))


def _is_disk_full(error: Exception, options: argparse.Namespace) -> bool:
    """Whether `error` is a full disk; torch and safetensors say it in errors of their own."""
    if isinstance(error, OSError):
        return error.errno in DISK_FULL_ERRORS
    folders = [vars(options).get(name) for name in ("work", "out")]
    return any(
        shutil.disk_usage(folder).free < DISK_FULL_BYTES
        for folder in folders
        if folder is not None and folder.exists()
    )


def _device(name: str):
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"--device {name} cannot be used here: {error}") from error
    return device


if __name__ == "__main__":
    sys.exit(main())
