"""Find published SAEs before anything is computed: their sizes, and whether they fit the config.

Only configs and the headers of weight files are read here; sae-lens knows where a release lies and
how its config is written (`sae_lens.loading`), for a folder it reads old and new cfg.json alike.
"""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from precompute.config import ConfigError, RunConfig
from precompute.dictionary import CONFIG_NAME, WEIGHTS_NAME
from precompute.imports.model_names import is_same_model
from precompute.published.refusals import (
    check_activation,
    check_architecture,
    check_header,
    check_normalisation,
)
from precompute.published.section import PublishedConfig, PublishedSae
from precompute.sections import ModelConfig

log = logging.getLogger(__name__)

HASH_BLOCK_BYTES = 1 << 24
_RESIDUAL = re.compile(r"blocks\.(\d+)\.hook_resid_(pre|post)")


def with_found_saes(config: RunConfig) -> RunConfig:
    """The config with the SAEs that its `[saes]` section names, narrow to wide; others unchanged.

    Raises:
        ConfigError: an SAE is not there, or reads another place than `[model]` says.
    """
    section = config.published
    if section is None or section.found:
        return config
    found = _in_folder(section, Path(section.path)) if section.path else _in_releases(section)
    found.sort(key=lambda sae: sae.width)
    for sae in found:
        _check_place(config.model, sae)
    try:
        filled = PublishedConfig.model_validate(section.model_dump() | {"found": found})
        return RunConfig.model_validate(config.model_dump() | {"saes": filled})
    except ValidationError as error:
        lines = [f"  {e['msg']}" for e in error.errors()]
        raise ConfigError("the config does not fit its SAEs:\n" + "\n".join(lines)) from error


def _in_folder(section: PublishedConfig, path: Path) -> list[PublishedSae]:
    if not path.is_dir():
        raise ConfigError(f"saes.path = {section.path!r} is not a folder")
    names = [one for one in section.ids if isinstance(one, str)]
    if not names:
        names = ["."] if (path / CONFIG_NAME).exists() else _folders(path)
    if not names:
        raise ConfigError(
            f"saes.path: neither {path} nor a folder in it holds {CONFIG_NAME} and {WEIGHTS_NAME}, "
            "the layout in which sae-lens saves an SAE"
        )
    return [_from_folder(section, path, name) for name in names]


def _folders(path: Path) -> list[str]:
    return sorted(str(f.parent.relative_to(path)) for f in path.glob(f"**/{CONFIG_NAME}"))


def _from_folder(section: PublishedConfig, path: Path, name: str) -> PublishedSae:
    from sae_lens.loading.pretrained_sae_loaders import (  # takes seconds: only when it is needed
        get_sae_lens_config_from_disk,
        handle_config_defaulting,
    )

    folder = path / name
    absent = [n for n in (CONFIG_NAME, WEIGHTS_NAME) if not (folder / n).is_file()]
    if absent:
        others = ", ".join(_folders(path)) or "none"
        raise ConfigError(
            f"saes.ids: {folder} has no {' and no '.join(absent)}. SAEs in {path}: {others}"
        )
    try:
        read = get_sae_lens_config_from_disk(folder, "cpu", None)
        if not isinstance(read, dict):
            raise ValueError("it holds no JSON object")
        check_activation(str(folder), read)
        check_architecture(str(folder), str(read.get("architecture", "standard")))
        body = handle_config_defaulting(dict(read))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{folder / CONFIG_NAME} is not a config of sae-lens: {error}") from error
    digest = hashlib.sha256()
    with (folder / WEIGHTS_NAME).open("rb") as weights:
        while block := weights.read(HASH_BLOCK_BYTES):
            digest.update(block)
    check_normalisation(
        str(folder), body.get("normalize_activations") or "none", section.norm_scaling_factor
    )
    called = path.name if name == "." else name
    said = {**read, **(read.get("metadata") or {})}
    found = _described(
        called,
        body,
        folder=str(folder),
        weights_sha256=digest.hexdigest(),
        # old files may not say; sae-lens then takes true, which may be wrong
        prepend_bos=said.get("prepend_bos"),
    )
    check_header(folder / WEIGHTS_NAME, found.d_in, found.width)
    return found


def _in_releases(section: PublishedConfig) -> list[PublishedSae]:
    from sae_lens.loading.pretrained_sae_loaders import load_sae_config_from_huggingface
    from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory

    directory = get_pretrained_saes_directory()
    found = []
    for one in section.ids:
        release = (section.release or "") if isinstance(one, str) else one.release
        sae_id = one if isinstance(one, str) else one.id
        if release not in directory:
            near = [name for name in directory if name.startswith(release.split("-")[0])]
            raise ConfigError(
                f"saes.release: sae-lens knows no release {release!r}. "
                f"Some that it knows: {', '.join(sorted(near or directory)[:8])}"
            )
        known = directory[release].saes_map
        if sae_id not in known:
            raise ConfigError(
                f"saes.ids: release {release} has no SAE {sae_id!r}. "
                f"It has {', '.join(list(known)[:5])}{', ...' if len(known) > 5 else ''}"
            )
        try:
            body = load_sae_config_from_huggingface(release, sae_id)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"release {release}, SAE {sae_id!r} could not be loaded ({error}). It needs the "
                "Hugging Face hub; a copy on disk can be given as saes.path"
            ) from error
        neuronpedia_id = (directory[release].neuronpedia_id or {}).get(sae_id)
        found.append(_described(sae_id, body, release=release, neuronpedia_id=neuronpedia_id))
    return found


def _described(sae_id: str, body: dict[str, Any], **known: Any) -> PublishedSae:
    """What a config in sae-lens' current form says."""
    says = body.get("metadata") or {}
    check_architecture(f"SAE {sae_id!r}", str(body.get("architecture")))
    try:
        return PublishedSae(
            id=sae_id,
            width=body["d_sae"],
            d_in=body["d_in"],
            architecture=body["architecture"],
            hook_name=says.get("hook_name"),
            model_name=says.get("model_name"),
            **{name: says.get(name) for name in ("prepend_bos", "neuronpedia_id")} | known,
        )
    except KeyError as error:
        has = ", ".join(sorted(body))
        raise ConfigError(f"SAE {sae_id!r}: its config lacks {error}; it has {has}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"SAE {sae_id!r}: its config has {faults}") from error


def _check_place(model: ModelConfig, sae: PublishedSae) -> None:
    """Refuse an SAE of another place: its latents would fire on noise, without any message."""
    if sae.hook_name is not None and canonical(sae.hook_name) != canonical(model.place):
        raise ConfigError(
            f"{sae.place} reads {sae.hook_name}, but [model] gives {model.place}. "
            f'Set model.hook = "{sae.hook_name}" instead of layer, or take other SAEs'
        )
    if sae.model_name and not _may_be(model.source, sae.model_name):
        log.warning(
            "%s was trained on %s, and [model] is %s: of another model its latents fire on noise",
            sae.place,
            sae.model_name,
            model.source,
        )
    if sae.prepend_bos is not None and sae.prepend_bos != model.prepend_bos:
        says = str(sae.prepend_bos).lower()
        raise ConfigError(
            f"{sae.place} was trained with prepend_bos = {says}: set model.prepend_bos = {says}"
        )


def _may_be(source: str, name: str) -> bool:
    """Whether a model's source may be the model of that name; a folder's name need not say."""
    kind, _, package = source.partition(":")
    if kind == "random" or Path(source).is_dir():
        return True
    return is_same_model(package or source, name)


def canonical(hook: str) -> str:
    """One name for places that are the same: after block 8 is before the next one."""
    if residual := _RESIDUAL.fullmatch(hook):
        return f"hidden_states[{int(residual[1]) + (residual[2] == 'post')}]"
    return re.sub(r"(blocks\.\d+)\.hook_z", r"\1.attn.hook_z", hook)
