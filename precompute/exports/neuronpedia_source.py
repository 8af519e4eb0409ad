"""Where an export stands on Neuronpedia: model, source and set, and the files that describe them.

The layout is that of Neuronpedia's bulk files below `v1/`: `<model>/<source>/` with the files
`release.jsonl`, `model.jsonl`, `sourceset.jsonl` and `source.jsonl`, and `config/` with the kinds
of explanations and scores that rows refer to. What a run does not know, such as the model's number
of layers, is null: Neuronpedia has it already when the model is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from precompute.config import ConfigError
from precompute.exports.run_sae import Row, RunSae

RULES_NAME = "subatomic-rules"
EXPLANATION_TYPES = {
    "name": "the word that the latent was made for",
    "term": "the one word that the latent fires on",
    "terms": "the words that the latent fires on, best F1 first",
    "spelling": "a pattern in the spelling of the words that the latent fires on",
    "meaning": "what the words that the latent fires on have in common, by their meaning",
    "members": "the labels of the strongest members of the meta-latent",
    "model": "a language model, from the evidence on the latent's page",
    "person": "a person, in the label file beside the run",
    "neuronpedia": "an explanation of Neuronpedia's, for the same SAE",
    "delphi": "an explanation that Delphi made, for the same SAE",
    "metasae": "a description in the files of the first dashboard of meta-SAEs",
}
SCORE_TYPES = {
    "subatomic-fit": ("label_score", "how well the label fits what it was made from, 0 to 1"),
    "subatomic-accuracy": (
        "label_accuracy",
        "balanced accuracy of telling held-out members from others by the label alone",
    ),
    "subatomic-auc": ("label_auc", "area under the ROC curve of the same test"),
}
_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SOURCE_ID = re.compile(r"\d+-([A-Za-z0-9][A-Za-z0-9._-]{0,126}?)(?:__[A-Za-z0-9._-]{1,126})?")


@dataclass(frozen=True)
class Source:
    """One SAE of one run, as Neuronpedia names it; a row's `layer` is the `source_id`."""

    model_id: str
    source_id: str
    set_name: str
    hook_name: str | None
    creator_id: str | None
    created_at: str

    @property
    def path(self) -> Path:
        """Its folder, relative to that of the export."""
        return Path(self.model_id, self.source_id)


def source_names(
    neuronpedia_id: str | None, model_id: str | None, source_id: str | None
) -> tuple[str, str, str]:
    """Model, source and set: those given, else those of `saes.neuronpedia_id`.

    Raises:
        ConfigError: one is missing, or is not a name that Neuronpedia takes.
    """
    known_model, _, known_source = (neuronpedia_id or "").partition("/")
    model_id, source_id = model_id or known_model, source_id or known_source
    if not (model_id and source_id):
        raise ConfigError(
            "the run does not say where this SAE stands on Neuronpedia. Give --model-id, e.g. "
            "gpt2-small, and --source-id, e.g. 8-res-jb: layer and set"
        )
    if not _MODEL_ID.fullmatch(model_id):
        raise ConfigError(
            f"--model-id {model_id!r}: letters, digits, '.', '_' and '-' are possible"
        )
    found = _SOURCE_ID.fullmatch(source_id)
    if found is None:
        raise ConfigError(
            f"--source-id {source_id!r} is not <layer>-<set> or <layer>-<set>__<suffix>, "
            "e.g. 8-res_fs768-jb"
        )
    return model_id, source_id, found[1]


def explanation_type(source: str) -> str:
    """`typeName` of a label by its source: a rule, a model or a person."""
    return f"subatomic-{source}"


def write_source(
    folder: Path, source: Source, about: RunSae, n_contexts: int, longest: int
) -> None:
    """The files about the source itself, and `config/`.

    Args:
        n_contexts, longest: contexts that examples come from, and tokens of the longest.
    """
    sae, manifest, place = about.sae, about.manifest, folder / source.path
    place.mkdir(parents=True)
    release = sae["release"] or manifest.run
    where = f"{sae['sae_id']}: {sae['hook_name']}"
    shown = [corpus.name for corpus in manifest.corpora if corpus.shown]
    made = {"creatorId": source.creator_id, "createdAt": source.created_at}
    closed = {"visibility": "PRIVATE"}
    rows = {
        "release": made
        | closed
        | {
            "name": release,
            "description": manifest.title,
            "descriptionShort": manifest.title,
            "creatorName": None,
            "creatorNameShort": None,
            "creatorEmail": None,
            "urls": [],
            "isNewUi": False,
            "featured": False,
            "defaultSourceSetName": source.set_name,
            "defaultSourceId": source.source_id,
            "defaultUmapSourceIds": [],
        },
        "model": made
        | closed
        | {
            "id": source.model_id,
            "displayNameShort": manifest.model_id,
            "displayName": manifest.model_id,
            "tlensId": None,
            "dimension": None,
            "layers": None,
            "neuronsPerLayer": None,
            "owner": None,
            "website": None,
            "inferenceEnabled": False,
            "defaultSourceSetName": None,
            "defaultSourceId": None,
            "updatedAt": source.created_at,
        },
        "sourceset": made
        | closed
        | {
            "modelId": source.model_id,
            "name": source.set_name,
            "description": f"{manifest.title}: {where}",
            "type": "",
            "hasDashboards": True,
            "allowInferenceSearch": False,
            "creatorName": None,
            "creatorEmail": None,
            "urls": [],
            "releaseName": release,
            "defaultRange": 1,
            "defaultShowBreaks": True,
            "showDfa": False,
            "showCorrelated": False,
            "showHeadAttribution": False,
            "showUmap": False,
        },
        "source": made
        | closed
        | {
            "id": source.source_id,
            "modelId": source.model_id,
            "setName": source.set_name,
            "hasDashboards": True,
            "inferenceEnabled": False,
            "saelensConfig": None,
            "saelensRelease": sae["release"],
            "saelensSaeId": sae["release_sae_id"],
            "hfRepoId": None,
            "hfFolderId": None,
            "num_prompts": n_contexts,
            "num_tokens_in_prompt": longest,
            "dataset": ", ".join(shown),
            "notes": f"run {manifest.run}, content hash {manifest.content_hash}, {where}",
            "hasUmap": False,
            "hasUmapLogSparsity": False,
            "hasUmapClusters": False,
            "cosSimMatchModelId": None,
            "cosSimMatchSourceId": None,
        },
    }
    for name, row in rows.items():
        (place / f"{name}.jsonl").write_text(json_line(row), encoding="utf-8")
    config = folder / "config"
    config.mkdir()
    for name, kinds in _kinds(source).items():
        text = "".join(json_line(kind) for kind in kinds)
        (config / f"{name}.jsonl").write_text(text, encoding="utf-8")


def json_line(row: Row) -> str:
    """A row as one line of ASCII, so that no character in it can end the line.

    Raises:
        ValueError: a number in it is infinite or not a number, which JSON has no word for.
    """
    return json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n"


def _kinds(source: Source) -> dict[str, list[Row]]:
    """Rows of the tables that explanations and scores refer to by name."""

    def named(described: Iterable[tuple[str, str]]) -> Iterator[Row]:
        for name, description in described:
            yield {
                "name": name,
                "displayName": name,
                "description": description,
                "featured": False,
                "creatorName": "Subatomic",
                "createdAt": source.created_at,
                "updatedAt": source.created_at,
            }

    by_rule = [(RULES_NAME, "rules of `python -m precompute`, no language model")]
    types = [(explanation_type(name), words) for name, words in EXPLANATION_TYPES.items()]
    scores = [(name, words) for name, (_, words) in SCORE_TYPES.items()]
    own = {"creatorId": source.creator_id, "isAttention": False}
    return {
        "explanation_type": [row | own for row in named(types)],
        "explanation_model_type": list(named(by_rule)),
        "explanation_score_type": [row | own for row in named(scores)],
        "explanation_score_model": list(named(by_rule)),
    }
