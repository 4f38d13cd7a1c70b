"""A whole workspace with secrets that are known, used well and badly at every edge; then everything is searched.

Searched are the server's log, the output of every command, every answer of v1, v2 and the own API, the backup, and the
bytes of the data directory. What signs or encrypts (`secret.key`) is left out of the search, as it is out of backups.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import obstore
import pytest
from click.testing import CliRunner
from encord import EncordUserClient
from encord.exceptions import EncordException
from encord.storage import StorageFolder, StorageItem
from encord.utilities.storage.cloud_data_migration import update_storage_item_cloud_info

from framedex.auth.openssh import generate_key_pair
from framedex.cli.main import main
from tests.builders import media_files
from tests.builders.databases import environment as database_of
from tests.builders.living import serving
from tests.builders.peers import S3_KEY, Azurite, Seaweed, azurite, seaweed
from tests.contract.blobs.web_server import WebServer, ranged, running_server
from tests.faults.secrecy import Record, asked, random_account_key, random_key, recording, service_account

pytestmark = pytest.mark.faults

BUCKET = "guarded"
KINDS = ("s3", "azure", "gcs", "http", "local", "s3-wrong", "azure-wrong", "s3-env", "s3-strict")
_FACTS = {"mimeType": "image/png", "fileSize": 100, "width": 8, "height": 6}


@dataclass(frozen=True)
class Secrets:
    """`kept` must be found nowhere; the others may stand in answers to those who have them, and never in a log."""

    kept: Mapping[str, str]
    query: str
    key_pem: str


@dataclass
class World:
    """The workspace while it is being used."""

    record: Record
    top: Path
    data: Path
    environment: Mapping[str, str]
    secrets: Secrets
    weed: Seaweed
    azure: Azurite
    web: WebServer
    integrations: dict[str, str]

    def cli(self, *arguments: str | Path, more: Mapping[str, str] | None = None) -> str:
        """A command in this process (starting forty takes minutes); what it says is recorded."""
        environment = {**self.environment, **(more or {})}
        done = CliRunner().invoke(main, [str(part) for part in arguments], env=environment)
        self.record.add(f"command {arguments[0]} {arguments[1]}", done.stdout_bytes + done.stderr_bytes)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.stdout.strip()

    def file(self, name: str, content: bytes) -> Path:
        (self.top / name).write_bytes(content)
        return self.top / name

    def address(self, kind: str, name: str) -> str:
        place = kind.partition("-")[0]
        return {
            "s3": f"s3://{BUCKET}/{name}",
            "azure": f"{self.azure.endpoint}/{BUCKET}/{name}",
            "gcs": f"gs://{BUCKET}/{name}",
            "http": f"{self.web.origin}/{name}?signature={self.secrets.query}",
            "local": (self.top / "media" / name).as_uri(),
        }[place]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Record, Secrets, World]]:
    top = tmp_path_factory.mktemp("secrets")
    account, pair = service_account(), generate_key_pair("ada@example.org")
    kept = {
        "s3": random_key(),
        "s3 wrong": random_key(),
        "s3 environment": random_key(),
        "azure": random_account_key(),
        "azure wrong": random_account_key(),
        "malformed": random_key(),
        "argument": random_key(),
        "database password": secrets.token_hex(16),
        **{f"gcs {number}": text for number, text in enumerate(account.secrets)},
        "private key": pair.private_pem.decode().splitlines()[1],
    }
    guarded = Secrets(kept, secrets.token_hex(24), pair.private_pem.decode())
    (top / "media").mkdir()
    (top / "data").mkdir()
    record = Record()
    with ExitStack() as stack:
        weed = stack.enter_context(seaweed(_made(top / "weed"), secret=kept["s3"]))
        azure = stack.enter_context(azurite(_made(top / "azure"), key=kept["azure"]))
        web = stack.enter_context(running_server())
        environment = {
            **database_of(top / "data"),
            "FRAMEDEX_BLOBS": f"s3://{BUCKET}/own",
            "FRAMEDEX_BLOBS_ENDPOINT": weed.endpoint,
            "FRAMEDEX_BLOBS_CREDENTIALS": str(top / "s3.json"),
            "SECRET_OF_S3": kept["s3 environment"],
            "ID_OF_S3": S3_KEY,
        }
        world = World(record, top, top / "data", environment, guarded, weed, azure, web, {})
        _fill(world)
        _add(world, account.document)
        world.file("public", pair.public_line.encode())
        world.cli("users", "add", "ada@example.org", "--public-key", top / "public", "--admin", "--data", world.data)
        with recording(record), serving(world.data, environment=environment) as url:
            _use(world, url)
            _operate(world)
        _fail(world)
        record.add("log", (world.data / "serve.log").read_bytes())
        for path in sorted(world.data.rglob("*")):
            if path.is_file() and path.name not in ("secret.key", "serve.log"):
                record.add(f"file {path.relative_to(world.data)}", path.read_bytes())
        record.add_files("backup", top / "backup")
        yield record, guarded, world


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _fill(world: World) -> None:
    data = media_files.png(8, 6)
    for store in (world.weed.make_bucket(BUCKET), world.azure.make_bucket(BUCKET)):
        obstore.put(store, "good.png", data)
        obstore.put(store, "no-image.png", b"this is no image")
    for name, content in (("good.png", data), ("no-image.png", b"this is no image")):
        (world.top / "media" / name).write_bytes(content)
        world.web.answers[f"/{name}?signature={world.secrets.query}"] = ranged(content)


def _add(world: World, service_account_key: bytes) -> None:
    """Integrations with good and bad credentials, and attempts that are refused."""
    kept, data, private = world.secrets.kept, world.data, "--allow-private-addresses"
    good = world.file("s3.json", world.weed.credentials)
    wrong = world.file(
        "wrong.json", json.dumps({"access_key_id": S3_KEY, "secret_access_key": kept["s3 wrong"]}).encode()
    )
    s3: list[str | Path] = [
        "--kind",
        "s3",
        "--root",
        f"s3://{BUCKET}",
        "--endpoint",
        world.weed.endpoint,
        private,
        "--data",
        data,
    ]
    azure: list[str | Path] = [
        "--kind",
        "azure",
        "--root",
        f"{world.azure.endpoint}/{BUCKET}",
        "--endpoint",
        world.azure.endpoint,
    ]
    azure_wrong = world.file("azure-wrong.json", json.dumps({"account_key": kept["azure wrong"]}).encode())
    of_account = world.file("gcs.json", service_account_key)
    wanted: Mapping[str, Sequence[str | Path]] = {
        "s3": [*s3, "--credentials", good],
        "s3-wrong": [*s3, "--credentials", wrong],
        "s3-strict": [*s3, "--credentials", good, "--strict-client-only"],
        "s3-env": [
            *s3, "--credentials-env", "access_key_id=ID_OF_S3", "--credentials-env", "secret_access_key=SECRET_OF_S3",
        ],
        "azure": [*azure, private, "--data", data, "--credentials", world.file("azure.json", world.azure.credentials)],
        "azure-wrong": [*azure, private, "--data", data, "--credentials", azure_wrong],
        "gcs": ["--kind", "gcs", "--root", f"gs://{BUCKET}", "--data", data, "--credentials", of_account],
        "http": ["--kind", "http", "--origin", world.web.origin, private, "--data", data],
        "local": ["--kind", "local", "--root", world.top / "media", "--data", data],
    }  # fmt: skip
    for kind in KINDS:
        world.integrations[kind] = world.cli("integrations", "add", kind, *wanted[kind])
        assert str(UUID(world.integrations[kind])) == world.integrations[kind]
    malformed = world.file("malformed.json", b'{"secret_access_key": "%s", ' % kept["malformed"].encode())
    incomplete = world.file("incomplete.json", json.dumps({"secret_access_key": kept["malformed"]}).encode())
    not_base64 = world.file("not-base64.json", json.dumps({"account_key": kept["malformed"] + "!"}).encode())
    for refused in (
        [*s3, "--credentials", malformed],
        [*s3, "--credentials", incomplete],
        [*azure, private, "--data", data, "--credentials", not_base64],
        [*s3, "--credentials-env", f"secret_access_key={kept['argument']}"],
        [*s3, "--credentials-env", kept["argument"]],
    ):
        assert world.cli("integrations", "add", "refused", *refused) == ""


# ------------------------------------------------------------------------------------------------------------ the wire
def _use(world: World, url: str) -> None:
    client = EncordUserClient.create_with_ssh_private_key(world.secrets.key_pem, domain=url)
    folder = client.create_storage_folder("guarded", client_metadata={"a": 1})
    client.get_cloud_integrations()
    (world.top / "upload.png").write_bytes(media_files.png(5, 5))
    folder.upload_image(world.top / "upload.png")
    dataset = client.get_dataset(client.create_dataset("guarded", 0).dataset_hash)  # type: ignore[arg-type] # CORD_STORAGE
    for kind in KINDS:
        _register(world, folder, kind)
    items = list(folder.list_items(get_signed_urls=True, page_size=100))
    assert {item.url for item in items} >= {
        world.address(kind, "good.png") for kind in ("s3", "azure", "http", "local")
    }
    dataset.link_items([item.uuid for item in items])
    list(dataset.list_data_rows())
    job = dataset.add_private_data_to_dataset_start(world.integrations["s3-wrong"], _manifest(world, "s3-wrong"))
    dataset.add_private_data_to_dataset_get_result(job, timeout_seconds=60)
    for item in items:
        _look_at(world, client, url, item)
    _migrate(world, client, items)
    _ask_badly(world, client, url, folder)
    _ask_own_api(world, client, url, folder)


def _manifest(world: World, kind: str) -> dict[str, object]:
    names = ["good.png", "missing.png", "no-image.png"]
    # Google is not there to be asked: jobs would try again for a minute and a half.
    facts = {"imageMetadata": _FACTS} if kind == "gcs" else {}
    images = [{"objectUrl": world.address(kind, name), **facts} for name in names]
    outside = [{"objectUrl": "https://elsewhere.example.org/x.png"}, {"objectUrl": "s3://another/x.png"}]
    return {"images": images + outside}


def _register(world: World, folder: StorageFolder, kind: str) -> None:
    job = folder.add_private_data_to_folder_start(
        world.integrations[kind], _manifest(world, kind), ignore_errors=True
    )  # fmt: skip
    result = folder.add_private_data_to_folder_get_result(job, timeout_seconds=120)
    assert result.unit_errors


def _look_at(world: World, client: EncordUserClient, url: str, item: StorageItem) -> None:
    signed = item.get_signed_url(refetch=True)
    if signed is not None and urlsplit(signed).hostname == "127.0.0.1":  # Google's are signed and not there.
        asked(world.record, "GET", signed)
        asked(world.record, "GET", signed[:-7])  # Tampered with.
    client.get_storage_item(item.uuid).get_summary()
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}"}
    for path in ("", "/content", "/thumbnail", "/history"):
        asked(world.record, "GET", f"{url}/api/v1/items/{item.uuid}{path}", headers=headers)


def _migrate(world: World, client: EncordUserClient, items: Sequence[StorageItem]) -> None:
    by_url = {item.url: item for item in items}
    item = by_url[world.address("local", "good.png")]
    for kind in KINDS:
        for name in ("missing.png", "good.png"):
            try:
                update_storage_item_cloud_info(
                    client,
                    item,
                    new_url=world.address(kind, name),
                    new_cloud_integration=world.integrations[kind],
                )
            except EncordException as error:
                world.record.add(f"error migrate {kind}", str(error).encode())


def _ask_badly(world: World, client: EncordUserClient, url: str, folder: StorageFolder) -> None:
    token = client.get_bearer_token()
    headers = {"Authorization": f"Bearer {token}"}
    record = world.record
    asked(record, "POST", f"{url}/public", json={"query_type": "dataset", "query_method": "GET"})
    asked(record, "POST", f"{url}/public", content=b"{", headers=headers)
    asked(record, "GET", f"{url}/v2/public/storage/items/nothing?signature={world.secrets.query}", headers=headers)
    asked(record, "GET", f"{url}/objects/content/{world.secrets.query}?signature={world.secrets.query}")
    asked(record, "PUT", f"{url}/objects/upload/{world.secrets.query}", content=b"x")
    for kind in KINDS:
        params = {"integrationUuid": world.integrations[kind], "remoteUrl": world.address(kind, "")}
        body = {"name": f"synced {kind}", "cloudSyncedFolderParams": params}
        answer = asked(record, "POST", f"{url}/v2/public/storage/folders", json=body, headers=headers)
        if answer.status_code == 200:
            synced = answer.json()["uuid"]
            asked(
                record,
                "POST",
                f"{url}/v2/public/storage/folders/{synced}/cloud-synced-folder-syncs",
                headers=headers,
                json={},
            )
    asked(record, "DELETE", f"{url}/v2/public/storage/folders/{folder.uuid}/users", headers=headers)


def _ask_own_api(world: World, client: EncordUserClient, url: str, folder: StorageFolder) -> None:
    headers = {"Authorization": f"Bearer {client.get_bearer_token()}"}
    record, api = world.record, f"{url}/api/v1"
    for path in ("integrations", "jobs?limit=100", "changes?after=0", "status", "folders", "schema", "nothing"):
        asked(record, "GET", f"{api}/{path}", headers=headers)
    for job in asked(record, "GET", f"{api}/jobs?limit=100", headers=headers).json()["jobs"]:
        for part in ("", "/units"):
            asked(record, "GET", f"{api}/jobs/{job['uuid'] if 'uuid' in job else job['job']}{part}", headers=headers)
    asked(record, "GET", f"{url}/api/openapi.json")
    for kind in KINDS:
        asked(record, "GET", f"{api}/integrations/{world.integrations[kind]}/browse", headers=headers)
        for dry_run in ("true", "false"):
            query = f"folder={folder.uuid}&integration={world.integrations[kind]}&dry_run={dry_run}"
            asked(record, "POST", f"{api}/imports?{query}", json=_manifest(world, kind), headers=headers)


# ------------------------------------------------------------------------------------------------------- the operator
def _operate(world: World) -> None:
    data = world.data
    for kind in KINDS:
        address = world.address(kind, "good.png")
        world.cli("integrations", "check", world.integrations[kind], "--url", address, "--data", data)
    wrong = world.top / "wrong.json"
    world.cli("integrations", "set-credentials", world.integrations["s3"], "--credentials", wrong, "--data", data)
    world.cli("integrations", "check", world.integrations["s3"], "--data", data)
    place = f"s3://{BUCKET}/"
    for kind in ("s3", "s3-wrong", "s3-env"):
        options = ("--user", "ada@example.org", "--integration", world.integrations[kind], "--data", data)
        world.cli("import", place, "--folder", "imported", *options)
        world.cli("import", place, "--folder", "imported", "--dry-run", *options)
    for command in (
        ("integrations", "list"), ("users", "list"), ("jobs", "list"), ("audit",), ("doctor",),
    ):  # fmt: skip
        world.cli(*command, "--data", data)
    world.cli("backup", world.top / "backup", "--data", data)
    no_bucket = {"FRAMEDEX_BLOBS_CREDENTIALS": str(wrong)}
    world.cli("doctor", "--data", data, more=no_bucket)


def _fail(world: World) -> None:
    """Databases and directories that cannot be had, with a password in the address."""
    password = world.secrets.kept["database password"]
    address = f"postgresql://ada:{password}@127.0.0.1:1/framedex"
    more = {"FRAMEDEX_DATABASE_URL": address}
    data = world.data
    for command in (("users", "list"), ("doctor",), ("worker",), ("jobs", "list")):
        world.cli(*command, "--data", data, more=more)
    world.cli("backup", world.top / "never", "--data", data, more=more)
    world.cli("restore", world.top / "backup", "--data", world.top / "restored", more=more)
    world.cli("move-to-postgresql", "--data", data, more=more)
    for command in (("users", "list"), ("serve",)):
        world.cli(*command, "--database-url", address, "--data", data)
    world.cli("integrations", "list", "--data", data, more={"FRAMEDEX_BLOBS_CREDENTIALS": str(world.top / "nothing")})
    world.cli(
        "integrations", "list", "--data", data, more={"FRAMEDEX_BLOBS_CREDENTIALS": str(world.top / "malformed.json")}
    )


# -------------------------------------------------------------------------------------------------------- the search
def test_search__covers_what_it_must(searched: tuple[Record, Secrets, World]) -> None:
    record, guarded, _ = searched
    print(f"{len(record.said)} sources, {record.size} bytes, {len(guarded.kept)} secrets")
    for kind in ("answer sdk", "/api/v1/", "/public", "command", "log", "file ", "backup catalog.db", "error migrate"):
        assert record.count(kind) > 0, kind
    everything = b"".join(record.said.values())
    for said in (
        b"the store does not accept the signature",  # s3-wrong and azure-wrong were really refused
        b"gs://guarded/good.png cannot be read: the store cannot be reached",  # gcs asked Google in vain
        b"lies in another bucket",
        b"The secret key is left out",
    ):
        assert said in everything, said


def test_search__no_secret_anywhere(searched: tuple[Record, Secrets, World]) -> None:
    record, guarded, _ = searched
    assert {name: found for name, secret in guarded.kept.items() if (found := record.where(secret))} == {}


def test_search__no_signed_query_in_logs_or_of_commands(searched: tuple[Record, Secrets, World]) -> None:
    record, guarded, _ = searched
    assert record.where(guarded.query, " log") == []
    assert record.where(guarded.query, "command") == []
    log = next(content for source, content in record.said.items() if source.endswith(" log")).decode()
    for mark in ("X-Amz-Signature", "X-Amz-Credential", "sig=", "/objects/content/", "/objects/upload/", "Bearer"):
        assert mark not in log, mark


def test_search__the_key_of_the_server_is_in_its_file_alone(searched: tuple[Record, Secrets, World]) -> None:
    record, _, world = searched
    key = (world.data / "secret.key").read_bytes()
    wanted = {key, key.hex().encode(), base64.b64encode(key), base64.urlsafe_b64encode(key)}
    assert [source for source, content in record.said.items() if any(form in content for form in wanted)] == []


def test_search__tokens_are_not_kept(searched: tuple[Record, Secrets, World]) -> None:
    """Bearer tokens are in the answer that hands them out, hashed in the catalog, and nowhere else."""
    record, _, _ = searched
    tokens = {
        json.loads(content[content.index(b'{"token') :])["token"]
        for source, content in record.said.items()
        if "bearer" in source and b'{"token' in content
    }
    assert tokens
    for token in tokens:
        assert [source for source in record.where(token) if "bearer" not in source] == []
