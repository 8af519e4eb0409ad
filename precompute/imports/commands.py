"""`python -m precompute import`: what other tools wrote about an SAE, for the pages of a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.elsewhere import FORMATS


def add_import_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`import` for the parser of `python -m precompute`."""
    command = commands.add_parser("import", help="read what other tools wrote about an SAE")
    command.add_argument("format", choices=FORMATS, help="whose files they are")
    command.add_argument("path", type=Path, help="their folder, or one file")
    command.add_argument("--run", type=Path, required=True, help="folder of a run, data/minilm")
    command.add_argument("--sae", required=True, help="SAE or meta-SAE of the run, e.g. sae-24576")
    command.add_argument("--model", help="the model that the files are about, e.g. gpt2-small")
    command.add_argument("--source", help="the source or hookpoint, e.g. 8-res_fs49152-jb")
    command.add_argument(
        "--tokenizer", type=Path, help="tokenizer.json: reads examples by token id"
    )
    command.add_argument(
        "--trust-width",
        action="store_true",
        help="import although nothing but the width shows that it is the same SAE",
    )
    command.add_argument("--without-labels", action="store_true", help="leave the label file alone")
    command.add_argument("--out", type=Path, help="where the files go (the folder of the run's)")
    command.set_defaults(command=_import)


def _import(options: argparse.Namespace) -> None:
    from precompute.imports.importing import Request, import_foreign  # so that check needs no scipy

    request = Request(
        tool=options.format,
        path=options.path,
        run=options.run,
        sae_id=options.sae,
        model=options.model,
        source=options.source,
        tokenizer=options.tokenizer,
        trusts_width=options.trust_width,
        with_labels=not options.without_labels,
        out=options.out,
    )
    sys.stdout.write("\n".join(import_foreign(request)) + "\n")
