"""Reading at a host: pieces, limits, refusals and silence; and nothing of it for local folders."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest
from moto.core.authorization import enable_iam_authentication

from backend import remote
from backend.manifest import RunError
from backend.remote import entries, open_remote, read_small, size_and_hash
from backend.remote_address import Address, NotThereError, RefusedError
from tests.hosts import Bucket, Web

pytest_plugins = ("tests.host_fixtures",)

ROOT = Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 40  # 10,240 bytes
IN_SECONDS = 10  # a silent host is told within these


@pytest.fixture(params=["s3", "web"])
def file(request: pytest.FixtureRequest) -> Address:
    """CONTENT at a host."""
    if request.param == "s3":
        bucket: Bucket = request.getfixturevalue("bucket")
        bucket.put_file("a/file", CONTENT)
        return Address(bucket.address) / "a" / "file"
    web: Web = request.getfixturevalue("web")
    (web.folder / "a").mkdir()
    (web.folder / "a" / "file").write_bytes(CONTENT)
    return Address(web.address) / "a" / "file"


def test_a_file_is_read_in_pieces_from_any_byte_on(
    file: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "BLOCK_BYTES", 1000)
    for offset in (0, 1, 9_000, len(CONTENT) - 1):
        with open_remote(file, offset) as opened:
            pieces = list(iter(opened.read, b""))
        assert opened.start == offset
        assert b"".join(pieces) == CONTENT[offset:]
        assert max(map(len, pieces)) <= 1000


def test_a_file_that_became_shorter_than_what_is_here_has_nothing_to_add(file: Address) -> None:
    with open_remote(file, len(CONTENT) + 5) as opened:
        rest = opened.rest(20_000)
    assert rest == (CONTENT if opened.start == 0 else b"")


def test_a_host_without_ranges_begins_at_the_start(web: Web) -> None:
    (web.folder / "file").write_bytes(CONTENT)
    web.takes_ranges = False
    with open_remote(Address(web.address) / "file", 77) as opened:
        assert opened.start == 0
        assert opened.rest(20_000) == CONTENT


@pytest.mark.parametrize("file", ["web"], indirect=True)
def test_a_small_file_is_read_up_to_its_limit(file: Address) -> None:
    assert read_small(file, len(CONTENT)) == CONTENT
    with pytest.raises(RunError, match=r"is larger than 10,239 bytes"):
        read_small(file, len(CONTENT) - 1)


@pytest.mark.parametrize("file", ["web"], indirect=True)
def test_size_and_hash_are_those_of_the_content(file: Address) -> None:
    # sha256sum of the bytes 0 to 255, forty times
    size, digest = size_and_hash(file)
    assert size == 10_240
    done = subprocess.run(["sha256sum"], input=CONTENT, capture_output=True, check=True)
    assert digest == done.stdout.decode().split()[0]


def test_a_file_that_is_not_there_is_told_apart_from_one_that_cannot_be_read(
    file: Address,
) -> None:
    with pytest.raises(NotThereError, match=r"There is nothing at .*/a/other"):
        read_small(file.parent / "other", 100)


def test_a_stamp_changes_with_the_file(bucket: Bucket) -> None:
    address = Address(bucket.address) / "file"

    def stamp() -> str:
        remote.ask_anew(address)
        with open_remote(address) as opened:
            return opened.stamp

    bucket.put_file("file", b"one")
    first = stamp()
    assert stamp() == first
    bucket.put_file("file", b"two")
    assert stamp() != first


def test_a_folder_of_a_bucket_is_listed_by_name_without_itself(bucket: Bucket) -> None:
    for path in ("b/file", "a/deeper/file", "loose.csv", ""):  # "": an empty object, the folder
        bucket.put_file(path, b"x")
    found = [(entry.name, entry.is_folder) for entry in entries(Address(bucket.address))]
    assert found == [("a", True), ("b", True), ("loose.csv", False)]


def test_a_bucket_that_does_not_exist_holds_nothing(bucket: Bucket) -> None:
    del bucket
    with pytest.raises(NotThereError, match="There is nothing at s3://no-such-bucket/runs"):
        entries(Address("s3://no-such-bucket/runs"))


def test_wrong_credentials_are_told_and_new_ones_work_at_once(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put_file("file", b"x")
    address = Address(bucket.address) / "file"
    key_id, secret = bucket.new_reader()
    with enable_iam_authentication():
        with pytest.raises(RefusedError, match=r"AWS_ACCESS_KEY_ID") as caught:
            read_small(address, 100)
        assert "FSSPEC_S3_ANON" in str(caught.value)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        assert read_small(address, 100) == b"x"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name, value in {
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    remote._shared_file_system.cache_clear()
    with pytest.raises(RefusedError, match="NoCredentialsError"):
        read_small(address, 100)


def test_a_web_password_is_read_from_netrc(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (web.folder / "file").write_bytes(b"x")
    web.needs_login = "Basic " + b64encode(b"anna:secret").decode()
    with pytest.raises(RefusedError, match=r"Put the host's user and password into ~/\.netrc"):
        read_small(Address(web.address) / "file", 100)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login anna password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert read_small(Address(web.address) / "file", 100) == b"x"


def test_an_unreachable_host_is_told_in_seconds(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cache
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for address in (f"http://127.0.0.1:{port}/runs", "s3://bucket/runs"):
            started = time.monotonic()
            with pytest.raises(RunError, match=r"The host of .* does not answer"):
                read_small(Address(address) / "file", 100)
            assert time.monotonic() - started < IN_SECONDS


def test_a_host_that_says_nothing_is_given_up(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del cache
    monkeypatch.setattr(remote, "READ_SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for address in (f"http://127.0.0.1:{port}/runs", "s3://bucket/runs"):
            started = time.monotonic()
            with pytest.raises(RunError, match=r"The host of .* does not answer"):
                read_small(Address(address) / "file", 100)
            assert time.monotonic() - started < IN_SECONDS


def test_a_host_that_stops_in_the_middle_is_given_up(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "READ_SECONDS", 0.3)
    (web.folder / "file").write_bytes(CONTENT)
    web.stops_after["file"] = 5000
    with (
        pytest.raises(RunError, match=r"The host of .* does not answer"),
        open_remote(Address(web.address) / "file") as opened,
    ):
        opened.rest(20_000)


def test_local_folders_need_nothing_of_all_this() -> None:
    code = (
        "import sys, backend.opener, backend.listing as listing;"
        "listing.list_runs(listing.data_dir()); listing.list_notes(listing.data_dir());"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    packages = {"fsspec", "s3fs", "aiohttp", "botocore", "huggingface_hub", "filelock"}
    assert not packages & set(done.stdout.split())
