"""A data directory with people and items, made through the real catalog, and a real server process on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from framedex.auth.tokens import hash_token, new_token
from framedex.core.access import Caller
from framedex.core.clock import now_us
from framedex.core.folders import NewFolder
from framedex.core.ids import FolderId, IntegrationId, ItemId, UserId, new_id
from framedex.core.media_types import ItemType, MediaFacts
from framedex.core.people import MemberType, User, UserKey, WorkspaceRole
from framedex.core.ports.blobs import IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog import Entity, Op
from framedex.core.ports.catalog_items import NewItem
from framedex.core.ports.catalog_people import Integration
from tests.builders.databases import environment as database_of
from tests.builders.databases import open_catalog
from tests.builders.ports import free_port

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Person:
    id: UserId
    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Workspace:
    """Puts rows into a data directory, beside a server or without one."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data = data
        self.catalog = open_catalog(data)

    def close(self) -> None:
        self.catalog.close()

    def person(self, email: str, *, is_admin: bool = False) -> Person:
        now, token = now_us(), new_token()
        user_id = UserId(new_id())
        role = WorkspaceRole.ADMIN if is_admin else WorkspaceRole.MEMBER
        with self.catalog.write() as unit:
            unit.people.add_user(User(user_id, email, role, MemberType.INTERNAL, True, now, now))
            unit.people.add_key(UserKey(new_id().replace("-", "") * 2, user_id, "", now))
            unit.people.add_token(hash_token(token), user_id, None, now, now + _DAY_US)
            unit.log(Entity.USER, Op.CREATE, [user_id])
        return Person(user_id, email, token)

    def caller(self, person: Person) -> Caller:
        with self.catalog.read() as unit:
            caller = unit.people.caller_by_id(person.id)
        assert caller is not None
        return caller

    def folder(self, owner: Person, name: str, parent: FolderId | None = None) -> FolderId:
        folder_id = FolderId(new_id())
        with self.catalog.write() as unit:
            unit.folders.add(NewFolder(folder_id, parent, name, owner.id, now_us()))
            unit.log(Entity.FOLDER, Op.CREATE, [folder_id])
            unit.audit(owner.id, "folder.create", Entity.FOLDER, [folder_id])
        return folder_id

    def item(
        self,
        owner: Person,
        folder_id: FolderId,
        *,
        metadata: str | None = None,
        url: str = "",
        integration: str | None = None,
    ) -> ItemId:
        item_id = ItemId(new_id())
        address = url or f"file:///nowhere/{item_id}.png"
        facts = MediaFacts(file_size=3, mime_type="image/png", width=1, height=2)
        new = NewItem(
            item_id, folder_id, ItemType.IMAGE, f"{item_id}.png", owner.id, facts,
            claim_urls=(address,), url=address, metadata=metadata, integration_id=integration,
        )  # fmt: skip
        with self.catalog.write() as unit:
            unit.items.add_many([new], user_id=owner.id, now_us=now_us())
            unit.log(Entity.ITEM, Op.CREATE, [item_id])
        return item_id

    def integration(self, root: Path, *, title: str = "local", strict: bool = False) -> IntegrationId:
        integration_id = IntegrationId(new_id())
        config = IntegrationConfig(IntegrationKind.LOCAL, str(root.resolve()), strict_client_only=strict)
        with self.catalog.write() as unit:
            unit.people.add_integration(Integration(integration_id, title, config, now_us()))
        return integration_id


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "framedex.cli.main", *(str(a) for a in arguments)]


def run(
    *arguments: str | Path, timeout: float = 60, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `framedex` to its end, on the database of the directory that `--data` names or that `environment` does."""
    database: Mapping[str, str] = environment or {}
    if environment is None and "--data" in arguments:
        database = database_of(Path(arguments[arguments.index("--data") + 1]))
    return run_in(database, *arguments, timeout=timeout)


def run_in(
    environment: Mapping[str, str], *arguments: str | Path, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Runs `framedex` to its end, with more variables."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )


@contextmanager
def serving(data: Path, *, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server process on a data directory; answers its address. Ended by SIGTERM.

    `environment` names its database where that is not the one that tests run on.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = data / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command("serve", "--data", data, "--port", str(port)),
            stdout=output,
            stderr=output,
            env={**os.environ, **(database_of(data) if environment is None else environment)},
        )
    try:
        _await_ready(url, process, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def png_files(folder: Path, names: Sequence[str]) -> None:
    """Real, tiny PNG files, each with another colour."""
    import io

    from PIL import Image

    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        Image.new("RGB", (4, 3), (number % 256, 10, 20)).save(buffer, "PNG")
        path.write_bytes(buffer.getvalue())
