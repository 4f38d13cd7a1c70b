"""`framedex users` and `framedex integrations add | list | grant` on a data directory."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from encord import EncordUserClient

from framedex.auth.openssh import SshKeyPair, fingerprint, generate_key_pair
from framedex.cli.main import main
from tests.builders.databases import environment
from tests.builders.living import run, serving


@pytest.fixture
def framedex(data: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs a command on `data`, in this process because there are many; answers code, output, errors."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        answer = CliRunner().invoke(main, [*map(str, arguments), "--data", str(data)], env=environment(data))
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.stdout, answer.stderr

    return call


@pytest.fixture
def pair(tmp_path: Path) -> SshKeyPair:
    made = generate_key_pair("me@laptop")
    (tmp_path / "id").write_bytes(made.private_pem)
    (tmp_path / "id.pub").write_text(made.public_line)
    return made


Command = Callable[..., tuple[int, str, str]]


def test_new_key__opens_the_server_for_the_sdk(framedex: Command, data: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    code, said, _ = framedex("users", "new-key", "Me@Example.org", "--out", key)
    assert (code, "me@example.org (ADMIN)" in said, f"private key: {key}" in said) == (0, True, True)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    loaded = load_ssh_private_key(key.read_bytes(), password=None)
    assert isinstance(loaded, Ed25519PrivateKey)
    assert loaded.public_key().public_bytes_raw().hex() in framedex("users", "list")[1]
    with serving(data) as url:
        client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=str(key), domain=url)
        assert client.create_storage_folder("first").name == "first"


def test_new_key__never_overwrites_and_leaves_nothing_behind(framedex: Command, data: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("precious")
    assert framedex("users", "new-key", "a@example.org", "--out", key)[0] == 1
    assert key.read_text() == "precious"
    code, _, said = framedex("users", "new-key", "a@example.org", "--out", tmp_path / "none" / "key")
    assert (code, "make it first" in said) == (1, True)
    code, _, said = framedex("users", "new-key", "not-an-email", "--out", tmp_path / "other")
    assert (code, "is not an email address" in said) == (1, True)
    assert not (tmp_path / "other").exists()
    assert framedex("users", "list")[1] == ""


def test_add__the_first_user_is_admin_and_keys_add_up(framedex: Command, pair: SshKeyPair, tmp_path: Path) -> None:
    other = generate_key_pair("me@desktop")
    (tmp_path / "second.pub").write_text(other.public_line)
    assert framedex("users", "add", "a@example.org", "--public-key", tmp_path / "id.pub")[0] == 0
    assert framedex("users", "add", "a@example.org", "--public-key", tmp_path / "second.pub")[0] == 0
    # The same once more changes nothing.
    assert framedex("users", "add", "a@example.org", "--public-key", tmp_path / "second.pub")[0] == 0
    lines = framedex("users", "list")[1].splitlines()
    assert lines[0] == "a@example.org  ADMIN  internal"
    assert sorted(lines[1:]) == sorted(
        f"  {p.key_hex}  {fingerprint(p.key_hex)}  {comment}"
        for p, comment in ((pair, "me@laptop"), (other, "me@desktop"))
    )


def test_add__later_users_are_members_unless_told(framedex: Command, pair: SshKeyPair, tmp_path: Path) -> None:
    framedex("users", "new-key", "first@example.org", "--out", tmp_path / "first")
    framedex("users", "add", "b@example.org", "--public-key", tmp_path / "id.pub")
    assert "b@example.org  MEMBER" in framedex("users", "list")[1]
    framedex("users", "add", "b@example.org", "--public-key", tmp_path / "id.pub", "--admin")
    assert "b@example.org  ADMIN" in framedex("users", "list")[1]


def test_add__refuses_a_key_of_another_user(framedex: Command, pair: SshKeyPair, tmp_path: Path) -> None:
    framedex("users", "add", "a@example.org", "--public-key", tmp_path / "id.pub")
    code, _, said = framedex("users", "add", "b@example.org", "--public-key", tmp_path / "id.pub")
    assert (code, "for a@example.org" in said) == (1, True)
    assert "b@example.org" not in framedex("users", "list")[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        ("private", "must never see it"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 me@laptop", "Ed25519 keys only"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZm me@laptop", "damaged or cut off"),
        ("", "exactly one key"),
        ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "ssh-keygen -i"),
    ],
)
def test_add__says_what_is_wrong_with_a_file_and_makes_nothing(
    framedex: Command, pair: SshKeyPair, data: Path, tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "given"
    if content is not None:
        path.write_text(pair.private_pem.decode() if content == "private" else content)
    code, _, said = framedex("users", "add", "a@example.org", "--public-key", path)
    assert code != 0
    assert words in said
    assert not data.exists()


def test_remove_key__by_digits_and_by_fingerprint(framedex: Command, data: Path, tmp_path: Path) -> None:
    framedex("users", "new-key", "a@example.org", "--out", tmp_path / "one")
    framedex("users", "new-key", "a@example.org", "--out", tmp_path / "two")
    first, second = framedex("users", "list")[1].splitlines()[1:]
    assert framedex("users", "remove-key", first.split()[0].upper())[0] == 0
    assert framedex("users", "remove-key", second.split()[1])[0] == 0
    assert framedex("users", "list")[1].splitlines() == ["a@example.org  ADMIN  internal"]
    code, _, said = framedex("users", "remove-key", first.split()[0])
    assert (code, "users list" in said) == (1, True)


def test_remove_key__shuts_the_server_to_the_sdk(framedex: Command, data: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    framedex("users", "new-key", "a@example.org", "--out", key)
    with serving(data) as url:
        client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=str(key), domain=url)
        assert list(client.list_storage_folders()) == []
        framedex("users", "remove-key", framedex("users", "list")[1].split()[3])
        with pytest.raises(Exception, match=r"(?i)key|authenticat"):
            list(client.list_storage_folders())


@pytest.mark.parametrize("command", ["users list", "users remove-key 00", "integrations list", "jobs list", "audit"])
def test_commands__that_read_make_no_data_directory(framedex: Command, data: Path, command: str) -> None:
    code, _, said = framedex(*command.split())
    assert (code, "There is no catalog in" in said, data.exists()) == (1, True, False)


def test_commands__need_a_data_directory() -> None:
    answer = run("users", "list")
    assert answer.returncode == 1
    assert answer.stderr.startswith("Error: Name the data directory: --data DIR, or FRAMEDEX_DATA=DIR")


def test_commands__show_a_refusal_of_the_system_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = run("users", "new-key", "a@example.org", "--out", tmp_path / "key", "--data", tmp_path / "file" / "data")
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [f"Error: {tmp_path}/file/data: Not a directory"]


def test_integrations_add__and_list(framedex: Command, tmp_path: Path) -> None:
    media = tmp_path / "my media"
    media.mkdir()
    code, uuid, warned = framedex("integrations", "add", "disk", "--kind", "local", "--root", media, "--writable")
    assert (code, warned) == (0, "")
    assert framedex("integrations", "list")[1] == f"{uuid.strip()}  disk  local  {media}  writable\n"
    code, _, warned = framedex("integrations", "add", "later", "--kind", "local", "--root", tmp_path / "not yet")
    assert (code, "no directory of this machine now" in warned) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("title", "--kind", "local"), "--root DIR"),
        (("title", "--kind", "http"), "--origin https://"),
        (("title", "--kind", "http", "--origin", "example.org"), "is not an http:// or https:// address"),
        (("title", "--kind", "local", "--root", "/media", "--origin", "https://a.example"), "--origin is for http"),
        (("title", "--kind", "http", "--origin", "https://a.example", "--root", "/media"), "--root is for other kinds"),
        (("taken", "--kind", "local", "--root", "/media"), "already an integration"),
        ((" ", "--kind", "local", "--root", "/media"), "needs a title"),
        (("title", "--kind", "local", "--root", "/"), "the server's own files"),
    ],
)
def test_integrations_add__says_what_is_wrong(
    framedex: Command, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    framedex("integrations", "add", "taken", "--kind", "local", "--root", tmp_path / "media")
    code, _, said = framedex("integrations", "add", *arguments)
    assert code == 1
    assert words in said
    assert framedex("integrations", "list")[1].count("\n") == 1


def test_integrations_add__never_lays_the_data_directory_open(framedex: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(data)
    for root in (data, data / "blobs", tmp_path, tmp_path / "link"):
        code, _, said = framedex("integrations", "add", "own", "--kind", "local", "--root", root)
        assert (code, "the server's own files" in said) == (1, True), root


def test_integrations_grant__says_who_is_unknown(framedex: Command, tmp_path: Path) -> None:
    framedex("users", "new-key", "a@example.org", "--out", tmp_path / "key")
    uuid = framedex("integrations", "add", "disk", "--kind", "local", "--root", tmp_path / "media")[1].strip()
    code, _, said = framedex("integrations", "grant", uuid, "b@example.org", "--role", "user")
    assert (code, "no user or group 'b@example.org'" in said, "users list" in said) == (1, True, True)
    assert framedex("integrations", "grant", uuid, "a@example.org", "--role", "admin")[0] == 0
