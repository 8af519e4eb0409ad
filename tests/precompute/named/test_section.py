"""What a `[[directions]]` section may say, and when it does not fit its run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from precompute.config import ConfigError, RunConfig, load_config
from precompute.named.finding import read_found, with_found_directions
from precompute.named.section import DirectionsConfig, FoundDirections
from tests.precompute.command_line import TINY
from tests.precompute.named.conftest import Given, save_npz

BODY = load_config(TINY).model_dump()


def _config(*sections: dict[str, Any], **changes: Any) -> RunConfig:
    given = [{"path": "d.npz", "licence": "CC0", **section} for section in sections]
    return RunConfig.model_validate(BODY | changes | {"directions": given})


def _found(count: int) -> FoundDirections:
    return FoundDirections(count=count, d_in=32, sha256="0" * 64)


@pytest.mark.parametrize(
    "name",
    ["", "Probes", "a b", "a_b", "-a", "a-", "a--b", "1170", "../x", "a/b", "é", "a" * 41, "a\n"],
)
def test_names_that_are_no_ids_are_refused(name: str):
    with pytest.raises(ValidationError, match=r"directions\.0\.name"):
        _config({"name": name})


@pytest.mark.parametrize("name", ["sae-7", "meta-x", "words-9"])
def test_names_of_the_run_s_own_things_are_refused(name: str):
    with pytest.raises(ValidationError, match="is the run's own"):
        _config({"name": name})


def test_two_sections_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="would have a twice"):
        _config({"name": "a"}, {"name": "a"})


def test_a_section_without_a_name_changes_no_id_of_the_run():
    plain, named = RunConfig.model_validate(BODY), _config({"name": "probes"})
    assert plain.directions == ()
    assert named.sae_ids == plain.sae_ids  # what is stitched
    assert named.trained_ids == plain.described_ids
    assert named.described_ids == (*plain.described_ids, "probes")
    assert named.meta_ids == plain.meta_ids | {"probes": "meta-32-on-probes"}


def test_other_keys_shares_and_ways_are_refused():
    for wrong in ({"width": 3}, {"firing_share": 0}, {"firing_share": 0.2}, {"decomposed_by": "x"}):
        with pytest.raises(ValidationError):
            _config({"name": "a", **wrong})


def test_too_few_rows_for_a_meta_sae_of_their_own_are_refused_with_the_least():
    # 8 rows a meta-latent and k = 4: 5 meta-latents, from 36.5 / 8 = 4.56 rounded up
    own = {"name": "a", "decomposed_by": "own"}
    with pytest.raises(ValidationError, match=r"a: 36 rows are too few .* it takes 37, or"):
        _config({**own, "found": _found(36)})
    assert _config({**own, "found": _found(37)}).meta_widths["a"] == 5
    assert _config({"name": "a", "found": _found(2)}).meta_widths["a"] == 32


def test_their_own_meta_sae_is_never_wider_than_the_run_s():
    config = _config({"name": "a", "decomposed_by": "own", "found": _found(10_000)})
    assert config.meta_widths["a"] == config.meta_width == 32
    assert config.meta_ids["a"] == "meta-a"


def test_a_stamp_changes_with_what_results_depend_on_and_not_with_texts():
    given: dict[str, Any] = {"name": "a", "path": "d.npz", "licence": "CC0", "found": _found(9)}
    stamp = DirectionsConfig(**given).stamp
    for same in ({"path": "e.parquet"}, {"licence": "MIT"}, {"source": "ours"}):
        assert DirectionsConfig(**{**given, **same}).stamp == stamp
    other = FoundDirections(count=9, d_in=32, sha256="1" * 64)
    for changed in ({"firing_share": 0.01}, {"decomposed_by": "own"}, {"found": other}):
        assert DirectionsConfig(**{**given, **changed}).stamp != stamp


def test_files_are_read_before_anything_is_computed(tmp_path: Path):
    path = tmp_path / "d.npz"
    section = {"name": "a", "path": str(path), "decomposed_by": "own"}
    with pytest.raises(ConfigError, match=r"directions a: .*d\.npz is not there"):
        with_found_directions(_config(section))
    save_npz(path, Given(["x", "y"], np.eye(2, 32, dtype=np.float32)))
    with pytest.raises(ConfigError, match="2 rows are too few"):
        with_found_directions(_config(section))
    config = with_found_directions(_config({**section, "decomposed_by": "run"}))
    (found,) = config.directions
    assert found.count == 2
    assert read_found(found).names == ["x", "y"]
    save_npz(path, Given(["x", "z"], np.eye(2, 32, dtype=np.float32)))
    with pytest.raises(ConfigError, match="changed during the run"):
        read_found(found)
    plain = RunConfig.model_validate(BODY)
    assert with_found_directions(plain) is plain
