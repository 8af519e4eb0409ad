"""What an export is about: one SAE of a verified run, and which of its latents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.manifest import Manifest
from backend.verify import verify_run
from precompute.config import ConfigError
from precompute.exports.hook_names import transformer_lens_hook
from precompute.model_labels.evidence import sae_rows

Row = dict[str, Any]


@dataclass(frozen=True)
class RunSae:
    """`sae` is its row of `saes`; the latents are those from `first` up to, not with, `end`."""

    run: Path
    manifest: Manifest
    saes: list[Row]
    sae: Row
    first: int
    end: int

    @property
    def sae_id(self) -> str:
        return self.sae["sae_id"]

    @property
    def hook_name(self) -> str | None:
        """TransformerLens' name of the place that is read; None for a meta-SAE, or without one."""
        return None if self.parent else transformer_lens_hook(self.sae["hook_name"])

    @property
    def parent(self) -> Row | None:
        """Row of the SAE whose decoder rows a meta-SAE splits."""
        parent_id = self.sae["parent_sae_id"]
        return next((row for row in self.saes if row["sae_id"] == parent_id), None)


def open_run_sae(run: Path, sae_id: str, latents: tuple[int, int] | None) -> RunSae:
    """Verify a run and find one of its SAEs.

    Args:
        latents: first latent and one more than the last; None: all.

    Raises:
        RunError: the run is damaged.
        ConfigError: it has no such SAE, or that no such latents.
    """
    # the writer refuses keys out of order, so hashes that fit say as much
    manifest = verify_run(run, keys=False)
    saes = sae_rows(run)
    sae = next((row for row in saes if row["sae_id"] == sae_id), None)
    if sae is None:
        known = ", ".join(row["sae_id"] for row in saes)
        raise ConfigError(f"{run} has no SAE {sae_id!r}; it has {known}")
    first, end = latents or (0, sae["n_latents"])
    if not first < end <= sae["n_latents"]:
        raise ConfigError(
            f"--latents {first}:{end}: {sae_id} has the latents 0 to {sae['n_latents'] - 1}, and "
            "the second number is one more than the last"
        )
    return RunSae(run, manifest, saes, sae, first, end)
