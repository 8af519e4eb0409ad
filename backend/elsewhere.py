"""What other tools say about the latents of a run, from `data/<run>.imported/`, one file each.

`python -m precompute import` writes a file once it has checked that the tool describes the same
weights. The files lie beside the run's folder, as the label file does, and for the same reason.
They are read one latent at a time (`backend.elsewhere_file`); nothing in a file raises here: what
cannot be used is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER_SUFFIX = ".imported"
FORMATS = ("neuronpedia", "saedashboard", "delphi", "metasae")
_NAME = re.compile(rf"({'|'.join(FORMATS)})-[\w.~%-]{{1,200}}\.parquet", re.ASCII)


@dataclass(frozen=True)
class Elsewhere:
    """What one tool says about one latent.

    `about` describes the whole file (`tool`, `source`, `model`, `checked`, `density_step` and
    others, all text); `row` is the latent's row of `elsewhere_file.SCHEMA`. Both are untrusted.
    """

    about: dict[str, str]
    row: dict[str, Any]


def imported_folder(folder: Path) -> Path:
    """Where the files about the run in `folder` are; it need not exist."""
    folder = folder.resolve()
    return folder.with_name(folder.name + FOLDER_SUFFIX)


def imported_path(folder: Path, tool: str, sae_id: str) -> Path:
    """The file of one tool about one SAE of the run in `folder`; it need not exist."""
    return imported_folder(folder) / f"{tool}-{quote(sae_id, safe='')}.parquet"


def is_imported_name(name: str) -> bool:
    """Whether a file of that name may be one of `imported_path`: no other is ever read."""
    return _NAME.fullmatch(name) is not None


def said_elsewhere(
    folder: Path, sae: Mapping[str, Any], latent: int
) -> tuple[list[Elsewhere], list[str]]:
    """What every imported file says about a latent, and which files cannot be used.

    Args:
        folder: of the run.
        sae: its row of `saes`, with at least sae_id and decoder_sha256.
        latent: index of the latent.

    Returns:
        One entry for each tool that knows the latent, and plain sentences, untrusted text.
    """
    found, problems = [], []
    for tool in FORMATS:
        path = imported_path(folder, tool, sae["sae_id"])
        try:
            path.stat()
        except OSError:  # most runs have none; an id may be too long for a file's name
            continue
        # imported here, because pyarrow would cost every server its start and memory
        from backend.elsewhere_file import Unusable, latent_in

        try:
            said = latent_in(path, sae["decoder_sha256"], latent)
        except Unusable as error:
            again = "Import it again, or remove the file"
            problems.append(f"{path.name} {error}, so it is not shown. {again}")
        else:
            if said is not None:
                found.append(Elsewhere(*said))
    return found, problems
