from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key
from encord.configs import SshConfig
from hypothesis import given
from hypothesis import strategies as st

from framedex.auth.openssh import SshPublicKey, fingerprint, generate_key_pair, parse_public_key
from framedex.core.errors import InvalidArguments

PAIR = generate_key_pair("ada@example.org")
BLOB = PAIR.public_line.split()[1]


def _refused(text: str) -> str:
    with pytest.raises(InvalidArguments) as caught:
        parse_public_key(text)
    return caught.value.message


def test_parse_public_key__reads_what_another_library_wrote() -> None:
    public = Ed25519PrivateKey.generate().public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    expected = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    assert parse_public_key(line + " ada lovelace\n") == SshPublicKey(expected, "ada lovelace")
    assert parse_public_key(line) == SshPublicKey(expected, "")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PAIR.public_line,
        PAIR.public_line.replace("\n", "\r\n"),
        "\n# Ada's laptop\n\n  " + PAIR.public_line + "\n",
        f"ssh-ed25519   {BLOB}   ada@example.org",
    ],
    ids=["byte order mark", "windows line ends", "comments and blanks", "many spaces"],
)
def test_parse_public_key__forgives_what_editors_do(text: str) -> None:
    assert parse_public_key(text) == SshPublicKey(PAIR.key_hex, "ada@example.org")


def test_parse_public_key__drops_unprintable_characters_of_the_comment() -> None:
    assert parse_public_key(f"ssh-ed25519 {BLOB} a\x1b[31m\u202eb").comment == "a[31mb"
    assert len(parse_public_key(f"ssh-ed25519 {BLOB} " + "x" * 1000).comment) == 200


def test_parse_public_key__refuses_a_private_key_without_repeating_it() -> None:
    message = _refused(PAIR.private_pem.decode())
    assert "private key" in message
    assert ".pub" in message
    assert PAIR.private_pem.decode().splitlines()[1][:20] not in message


def test_parse_public_key__refuses_an_encrypted_or_putty_private_key() -> None:
    assert "private key" in _refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----")
    assert "private key" in _refused("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n")


def test_parse_public_key__refuses_rsa_and_says_how_to_make_the_right_kind() -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    message = _refused(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
    assert "ssh-rsa" in message
    assert "ssh-keygen -t ed25519" in message


def test_parse_public_key__refuses_other_kinds() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert "ecdsa-sha2-nistp256" in _refused(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
    assert "sk-ssh-ed25519@openssh.com" in _refused(f"sk-ssh-ed25519@openssh.com {BLOB}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "exactly one key"),
        ("# nothing\n", "exactly one key"),
        (PAIR.public_line * 2, "exactly one key"),
        ("ssh-ed25519", "damaged"),
        (f"ssh-ed25519 {BLOB[:-4]}", "damaged"),
        (f"ssh-ed25519 {BLOB[:-4]}é===", "damaged"),
        (f"ssh-ed25519 {BLOB}AAAA", "damaged"),
        ("ssh-ed25519 " + base64.b64encode(b"\0\0\0\x07ssh-rsa" + bytes(40)).decode(), "damaged"),
        (f'from="10.0.0.1" {PAIR.public_line}', "Options"),
        ("hello", "no OpenSSH public key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "ssh-keygen -i"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "ssh-keygen -i"),
        ("x" * 70_000, "far too long"),
    ],
    # PAIR is made anew in every process; the names of the tests may not hold it
    ids=lambda value: f"{len(value)} characters" if len(value) > 40 else None,
)
def test_parse_public_key__says_what_is_wrong(text: str, words: str) -> None:
    assert words in _refused(text)


@given(st.text(st.characters(), max_size=200), st.sampled_from(["", "ssh-ed25519 ", "ssh-ed25519 AAAA"]))
def test_parse_public_key__any_text_is_refused_in_words(text: str, start: str) -> None:
    assert _refused(start + text)


def test_generate_key_pair__the_sdk_loads_the_private_key() -> None:
    sdk = SshConfig.from_ssh_private_key(PAIR.private_pem.decode())
    assert sdk.public_key_hex == PAIR.key_hex


def test_generate_key_pair__the_public_line_is_of_the_same_key() -> None:
    assert parse_public_key(PAIR.public_line) == SshPublicKey(PAIR.key_hex, "ada@example.org")
    loaded = load_ssh_public_key(PAIR.public_line.encode())
    assert loaded.public_bytes(Encoding.Raw, PublicFormat.Raw).hex() == PAIR.key_hex


def test_generate_key_pair__the_comment_stays_in_its_line() -> None:
    assert generate_key_pair("a\nssh-ed25519 b").public_line.count("\n") == 1


def test_generate_key_pair__the_private_key_is_not_printed() -> None:
    assert "PRIVATE" not in repr(PAIR)


def test_fingerprint__is_what_ssh_keygen_prints() -> None:
    # Printed by `ssh-keygen -l` of OpenSSH for this key.
    assert fingerprint(bytes(range(32)).hex()) == "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
