"""One import from the files to the files: read, compare, then write, and say what was found.

Nothing is written before everything agrees. An SAE of the same width at the same place in the same
model may still be another one, of another seed or sparsity: without a proof the user has to say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.edited_labels import labels_path
from backend.elsewhere import imported_path
from backend.verify import verify_run
from precompute.config import ConfigError
from precompute.imports.comparison import (
    Agreement,
    density_correlation,
    equal_labels,
    own_latents,
    token_agreement,
)
from precompute.imports.delphi import read_delphi
from precompute.imports.evidence_file import write_evidence
from precompute.imports.foreign import ForeignSet
from precompute.imports.identity import PARTS, TOKENS, Identity
from precompute.imports.label_rows import label_rows
from precompute.imports.metasae import read_metasae
from precompute.imports.neuronpedia import read_neuronpedia
from precompute.imports.saedashboard import read_saedashboard
from precompute.imports.shared_parts import (
    Decomposition,
    matched_parts,
    own_decomposition,
    same_parts,
)
from precompute.imports.vocabulary import read_vocabulary
from precompute.model_labels.evidence import sae_rows
from precompute.model_labels.label_file import TooManyLabels, check_mergeable, merge_labels

SAME_TOKENS = 0.2  # this much above chance, a share of latents shows that they are the same
OTHER_TOKENS, ENOUGH_LATENTS = 0.02, 200  # and less than that, of so many, that they are not
SAME_PARTS = 0.9
UNLIKE_DENSITIES = 0.2


@dataclass(frozen=True)
class Request:
    """What a user asks for; `out` is the folder in which the run lies, unless given."""

    tool: str
    path: Path
    run: Path
    sae_id: str
    model: str | None = None
    source: str | None = None
    tokenizer: Path | None = None
    trusts_width: bool = False
    with_labels: bool = True
    out: Path | None = None


def import_foreign(request: Request) -> list[str]:
    """Import what files say about one SAE; the lines of the report.

    Raises:
        ConfigError: the files cannot be read, or are not about the same SAE; nothing was written.
        RunError: the run is not intact.
    """
    manifest = verify_run(request.run)
    saes = sae_rows(request.run)
    sae = next((row for row in saes if row["sae_id"] == request.sae_id), None)
    if sae is None:
        known = ", ".join(row["sae_id"] for row in saes)
        raise ConfigError(f"{request.run} has no SAE {request.sae_id}; it has {known}")
    if not request.path.exists():
        raise ConfigError(f"there is no {request.path}")
    identity = Identity(request.run, sae, manifest.content_hash, request.model, request.source)
    foreign, theirs = _read(request, identity)
    identity.check_vectors(foreign.vectors, str(request.path))
    lines = [*_compare_tokens(request, identity, foreign)]
    lines += _compare_parts(request, identity, theirs, saes)
    if not identity.proofs and not request.trusts_width:
        raise ConfigError(_unproven(request, identity))
    own = own_latents(request.run, request.sae_id)
    lines += _density_lines(density_correlation(own["density"], foreign))
    written = _write(request, identity, foreign)
    labels = foreign.labels()
    same = equal_labels(own["labels"], foreign)
    agreed = "; ".join(identity.agreed.values()) or "nothing: --trust-width was given"
    return [
        f"{foreign.about['tool']}: {len(foreign.latents):,} of the {sae['n_latents']:,} latents "
        f"of {request.sae_id}",
        f"agrees: {agreed}",
        *lines,
        f"labels: {len(labels):,}, of which {same:,} say the same as the run's own",
        *foreign.notes,
        *written,
    ]


def _read(request: Request, identity: Identity) -> tuple[ForeignSet, Decomposition]:
    if request.tool == "neuronpedia":
        return read_neuronpedia(request.path, identity), {}
    if request.tool == "saedashboard":
        return read_saedashboard(request.path, identity), {}
    vocabulary = None if request.tokenizer is None else read_vocabulary(request.tokenizer)
    if request.tool == "delphi":
        return read_delphi(request.path, identity, vocabulary), {}
    return read_metasae(request.path, identity, vocabulary)


def _compare_tokens(request: Request, identity: Identity, foreign: ForeignSet) -> list[str]:
    found = token_agreement(request.run, request.sae_id, foreign)
    if found is None:
        return []
    words = (
        f"{found.value:.0%} of {found.n:,} latents have a token in common, "
        f"{found.by_chance:.0%} by chance"
    )
    above = found.value - found.by_chance
    if above >= SAME_TOKENS:
        identity.agreed[TOKENS] = words
        return []
    if found.n >= ENOUGH_LATENTS and above < OTHER_TOKENS:
        raise identity.refuse(str(request.path), f"its latents fire on other tokens: {words}")
    return [f"tokens: {words}"]


def _compare_parts(
    request: Request, identity: Identity, theirs: Decomposition, saes: list[dict[str, Any]]
) -> list[str]:
    """Their decomposition with that of this meta-SAE, or with those of this SAE's meta-SAEs."""
    if not theirs:
        return []
    if identity.sae["kind"] == "meta":
        found = same_parts(own_decomposition(request.run, request.sae_id), theirs)
        words = "no latent that both decompose" if found is None else _overlap(found)
        if found is None or found.value < SAME_PARTS:
            raise identity.refuse(str(request.path), f"it is another meta-SAE: {words}")
        identity.agreed[PARTS] = words
        return []
    lines = []
    for sae in saes:
        if sae["parent_sae_id"] == request.sae_id:
            ours = own_decomposition(request.run, sae["sae_id"])
            for name, compare in (("the same", same_parts), ("matched", matched_parts)):
                found = compare(ours, theirs)
                if found is not None:
                    lines.append(
                        f"decomposition beside that of {sae['sae_id']}, meta-latents {name}: "
                        + _overlap(found)
                    )
    return lines


def _overlap(found: Agreement) -> str:
    return (
        f"mean Jaccard index of the components {found.value:.3f}, {found.by_chance:.3f} by "
        f"chance, {found.n:,} latents"
    )


def _density_lines(found: Agreement | None) -> list[str]:
    if found is None:
        return []
    lines = [f"densities: rank correlation {found.value:.2f} with the run's, {found.n:,} latents"]
    if found.value < UNLIKE_DENSITIES:
        lines.append("densities hardly agree: look at a few latents before trusting the labels")
    return lines


def _unproven(request: Request, identity: Identity) -> str:
    agrees = "; ".join(identity.agreed.values()) or "only that every index is below its width"
    return (
        f"nothing in {request.path} shows that its latents are those of {request.sae_id}. What "
        f"agrees: {agrees}. Other SAEs of that width may be at that place, so nothing was "
        "imported. If you know that it is the same SAE, give --trust-width"
    )


def _write(request: Request, identity: Identity, foreign: ForeignSet) -> list[str]:
    """Labels and evidence; a line for each file."""
    run = request.run.resolve()
    beside = run if request.out is None else request.out / run.name
    digest = identity.sae["decoder_sha256"]
    lines, path = [], labels_path(beside)
    rows = label_rows(foreign, request.sae_id, digest) if request.with_labels else []
    if rows:
        check_mergeable(path)
        try:
            merge_labels(path, rows, replaced={(request.tool, request.sae_id)})
        except TooManyLabels as error:
            lines.append(f"no label is applied: {error}. They are on the page of each latent")
        else:
            lines.append(f"{len(rows):,} labels are in {path}")
    about = {
        **foreign.about,
        "sae_id": request.sae_id,
        "decoder_sha256": digest,
        "checked": "; ".join(identity.proofs),
    }
    evidence = imported_path(beside, request.tool, request.sae_id)
    write_evidence(evidence, foreign, about)
    return [*lines, f"everything else is in {evidence}"]
