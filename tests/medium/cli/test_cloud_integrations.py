"""`framedex integrations` with buckets: real SeaweedFS, a real catalog, and a proxy where a store must misbehave."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import obstore
import pytest
import sqlalchemy as sa

from framedex.core.items import ItemQuery
from framedex.core.paging import PageRequest
from tests.builders import media_files
from tests.builders.databases import connected
from tests.builders.fault_proxy import FaultProxy, fault_proxy, never_expiring, with_date
from tests.builders.living import Person, Workspace, run
from tests.builders.peers import S3_KEY, S3_SECRET, Seaweed, seaweed
from tests.builders.ports import free_port

BUCKET = "doctor"


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Its pages are those of http://127.0.0.1:8420, where `framedex` serves by default."""
    with seaweed(tmp_path_factory.mktemp("seaweed"), allowed_origins="http://127.0.0.1:8420") as peer:
        store = peer.make_bucket(BUCKET)
        obstore.put(store, "media/a b.png", b"x" * 1000)
        yield peer


@pytest.fixture
def proxy(weed: Seaweed) -> Iterator[FaultProxy]:
    with fault_proxy(weed.endpoint) as running:
        yield running


@pytest.fixture
def secrets(tmp_path: Path, weed: Seaweed) -> Path:
    path = tmp_path / "secrets.json"
    path.write_bytes(weed.credentials)
    return path


def _add(data: Path, endpoint: str, *options: str | Path, root: str = f"s3://{BUCKET}/media") -> str:
    answer = run(
        "integrations", "add", f"bucket {time.monotonic_ns()}", "--data", data, "--kind", "s3", "--root", root,
        "--endpoint", endpoint, "--allow-private-addresses", *options,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def _check(data: Path, uuid: str, *options: str) -> tuple[int, str]:
    answer = run("integrations", "check", uuid, "--data", data, *options)
    text = answer.stdout + answer.stderr
    assert "Traceback" not in text
    assert S3_SECRET not in text
    return answer.returncode, text


def test_check__all_that_a_bucket_is_needed_for(weed: Seaweed, data: Path, tmp_path: Path, secrets: Path) -> None:
    uuid = _add(data, weed.endpoint, "--credentials", secrets, "--writable")
    code, text = _check(data, uuid, "--url", f"s3://{BUCKET}/media/a b.png")
    assert code == 0, text
    for step in (
        "answers in", "clocks agree", "holds 1 objects", "can be written", "is not replaced", "can be deleted",
        "1000 bytes, can be read, by range too", "without credentials", "may read signed addresses (CORS)",
        "ends when it expires (answered 403)", "1000 bytes, can be read",
    ):  # fmt: skip
        assert f"{step}" in text, text
    assert "failed" not in text
    assert [meta["path"] for meta in obstore.list(weed.store(BUCKET)).collect()] == ["media/a b.png"]


def test_check__secrets_by_names_of_variables(
    weed: Seaweed, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("--credentials-env", "access_key_id=MY_ID", "--credentials-env", "secret_access_key=MY_SECRET")
    missing = run(
        "integrations", "add", "x", "--data", data, "--kind", "s3", "--root", "s3://doctor", "--endpoint",
        weed.endpoint, "--allow-private-addresses", *names,
    )  # fmt: skip
    assert (missing.returncode != 0, "'MY_ID', which is not set" in missing.stderr) == (True, True)
    monkeypatch.setenv("MY_ID", S3_KEY)
    monkeypatch.setenv("MY_SECRET", S3_SECRET)
    uuid = _add(data, weed.endpoint, *names)
    assert _check(data, uuid)[0] == 0


def _failure(data: Path, uuid: str, failed: str, mend: str) -> None:
    code, text = _check(data, uuid)
    assert code == 1, text
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if line.startswith("failed:") and failed in line), None)
    assert at is not None, text
    assert mend in lines[at + 1], text


def test_check__each_failure_with_its_mend(
    weed: Seaweed, proxy: FaultProxy, data: Path, tmp_path: Path, secrets: Path
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"access_key_id": S3_KEY, "secret_access_key": "wrong"}))
    _failure(data, _add(data, weed.endpoint, "--credentials", wrong), "the signature", "set-credentials")
    _failure(data, _add(data, f"http://127.0.0.1:{free_port()}"), "nothing answers there", "firewall")
    elsewhere = _add(data, weed.endpoint, "--credentials", secrets, root="s3://no-such-bucket")
    _failure(data, elsewhere, "no bucket of this name", "--root")
    empty = _add(data, weed.endpoint, "--credentials", secrets, root=f"s3://{BUCKET}/empty")
    _failure(data, empty, "holds no object", "put objects there")
    through = _add(data, proxy.endpoint, "--credentials", secrets)
    proxy.fault = with_date(formatdate(time.time() + 600, usegmt=True))
    _failure(data, through, "s behind the store's", "NTP")
    proxy.fault = never_expiring
    _failure(data, through, "still works after it has expired", "NTP")


def test_check__pages_of_another_origin(
    weed: Seaweed, data: Path, tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = _add(data, weed.endpoint, "--credentials", secrets)
    monkeypatch.setenv("FRAMEDEX_PUBLIC_URL", "https://index.example.org")
    _failure(data, uuid, "may not read signed addresses (CORS)", '"AllowedOrigins": ["https://index.example.org"]')


def test_check__strict_client_only_asks_nothing(proxy: FaultProxy, data: Path, tmp_path: Path, secrets: Path) -> None:
    uuid = _add(data, proxy.endpoint, "--credentials", secrets, "--strict-client-only")
    assert _check(data, uuid, "--url", f"s3://{BUCKET}/media/none.png")[0] == 0
    assert _check(data, uuid, "--url", "s3://other/none.png")[0] == 1
    assert proxy.seen == []


def test_add__what_is_stored_is_sealed(weed: Seaweed, data: Path, tmp_path: Path, secrets: Path) -> None:
    uuid = _add(data, weed.endpoint, "--credentials", secrets)
    with connected(data) as catalog:
        query = sa.text("SELECT credentials FROM integrations WHERE id = :uuid")
        stored = catalog.execute(query, {"uuid": uuid}).scalar_one()
    assert stored.startswith(b"fdxs1.")
    # Without the key that sealed them the credentials are no use, and it is said how to go on.
    (data / "secret.key").write_bytes(bytes(32))
    code, text = _check(data, uuid)
    assert (code, "enter the credentials again" in text) == (1, True), text
    run("integrations", "set-credentials", uuid, "--data", data, "--credentials", secrets)
    assert _check(data, uuid)[0] == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--kind", "s3", "--root", "s3://bucket", "--endpoint", "http://127.0.0.1:9"),
        ("--kind", "s3", "--root", "bucket"),
        ("--kind", "s3"),
        ("--kind", "gcs", "--root", "gs://bucket", "--region", "eu"),
        ("--kind", "azure", "--root", "https://account.blob.core.windows.net"),
        ("--kind", "local", "--root", "/tmp", "--anonymous"),
        ("--kind", "s3", "--root", "s3://bucket", "--anonymous", "--credentials-env", "access_key_id=A"),
        ("--kind", "s3", "--root", "s3://bucket", "--credentials-env", "access_key_id=a/secret+value"),
    ],
)
def test_add__refusals(data: Path, options: tuple[str, ...]) -> None:
    answer = run("integrations", "add", "x", "--data", data, *options)
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr
    assert "secret+value" not in answer.stderr
    assert run("integrations", "list", "--data", data).stdout == ""


def test_import__below_a_prefix(weed: Seaweed, workspace: Workspace, admin: Person, data: Path, secrets: Path) -> None:
    uuid = _add(data, weed.endpoint, "--credentials", secrets, root=f"s3://{BUCKET}")
    for i, name in enumerate(["import/1 a.png", "import/deep/100%.png", "import/notes.unknown"]):
        obstore.put(weed.store(BUCKET), name, media_files.png(4 + i, 4, seed=i))
    command = ("import", f"s3://{BUCKET}/import", "--folder", "From a bucket", "--user", admin.email, "--data", data)
    assert "--integration" in run(*command).stderr
    for _ in range(2):
        answer = run(*command, "--integration", uuid)
        assert answer.returncode == 0, answer.stderr
        assert f"left out, its ending tells no kind: s3://{BUCKET}/import/notes.unknown" in answer.stderr
    with workspace.catalog.read() as unit:
        query = ItemQuery(folder_id=None)
        found = unit.items.list_page(workspace.caller(admin), query, PageRequest(limit=10)).rows
    assert sorted((item.name, item.width) for item in found) == [("1 a.png", 4), ("deep/100%.png", 5)]
