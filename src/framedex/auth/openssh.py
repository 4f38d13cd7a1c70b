"""OpenSSH Ed25519 keys: reading a user's public key line, making a new pair (RFC 4253 section 6.6, RFC 8709)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from framedex.core.errors import InvalidArguments

_TYPE = "ssh-ed25519"
_KEY_BYTES = 32
#: What stands before the 32 raw bytes in the encoded key: two length-prefixed strings, the type and the key.
_BLOB_HEAD = len(_TYPE).to_bytes(4) + _TYPE.encode() + _KEY_BYTES.to_bytes(4)
_MAX_FILE_CHARS = 64 * 1024
_MAX_COMMENT_CHARS = 200
_MAKE_ONE = "Make one with: ssh-keygen -t ed25519"


@dataclass(frozen=True, slots=True)
class SshPublicKey:
    """A user's public key.

    Attributes:
        key_hex: the 32 raw bytes as 64 lower-case hex digits: the SDK's `keyid`.
        comment: what follows the key in its line, printable characters only; often `user@host`.
    """

    key_hex: str
    comment: str


@dataclass(frozen=True, slots=True)
class SshKeyPair:
    """A new key pair.

    Attributes:
        private_pem: OpenSSH private key file, not encrypted; must be kept at mode 0600.
        public_line: one OpenSSH line with a line feed, as in a `.pub` file.
    """

    private_pem: bytes = field(repr=False)
    public_line: str
    key_hex: str


def parse_public_key(text: str) -> SshPublicKey:
    """The one public key in the text of a `.pub` file; blank lines and lines that begin with `#` do not count.

    Raises:
        InvalidArguments: no Ed25519 public key, or more than one key; the message says how to get one.
    """
    if len(text) > _MAX_FILE_CHARS:
        raise InvalidArguments("This is no public key file: it is far too long. A public key is one short line.")
    _refuse_other_formats(text)
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) != 1:
        raise InvalidArguments(
            f"A public key file holds exactly one key; this one has {len(lines)} lines with content."
        )
    kind, _, rest = lines[0].partition(" ")
    if kind != _TYPE:
        raise _wrong_type(lines[0])
    blob, _, comment = rest.strip().partition(" ")
    return SshPublicKey(_raw_key(blob).hex(), _printable(comment))


def generate_key_pair(comment: str = "") -> SshKeyPair:
    """A new pair; the SDK loads the private half as it is."""
    private = Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    blob = base64.b64encode(_BLOB_HEAD + raw).decode("ascii")
    return SshKeyPair(
        private_pem=private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        public_line=f"{_TYPE} {blob} {_printable(comment)}".rstrip() + "\n",
        key_hex=raw.hex(),
    )


def fingerprint(key_hex: str) -> str:
    """`SHA256:…` as `ssh-keygen -l` prints it, for people to compare."""
    digest = hashlib.sha256(_BLOB_HEAD + bytes.fromhex(key_hex)).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def _refuse_other_formats(text: str) -> None:
    if "PRIVATE KEY-----" in text or text.startswith("PuTTY-User-Key-File"):
        raise InvalidArguments(
            "This is a private key; Framedex must never see it. Give the public one: the file beside it that ends in "
            ".pub (or print it with: ssh-keygen -y -f FILE)."
        )
    if "-----BEGIN" in text or "---- BEGIN SSH2" in text:
        raise InvalidArguments(
            "This public key is not in OpenSSH's one-line format. Convert it with: ssh-keygen -i -f FILE "
            "(with -m PKCS8 where it begins with -----BEGIN PUBLIC KEY-----)."
        )


def _wrong_type(line: str) -> InvalidArguments:
    kind = line.split(maxsplit=1)[0]
    if kind.startswith(("ssh-", "ecdsa-", "sk-")):
        return InvalidArguments(f"Framedex and the SDK use Ed25519 keys only; this is a {kind[:40]} key. {_MAKE_ONE}")
    if f"{_TYPE} " in line:
        return InvalidArguments(f"Options before the key are not supported; the line must begin with {_TYPE}.")
    return InvalidArguments(f"This is no OpenSSH public key: its line must begin with {_TYPE}. {_MAKE_ONE}")


def _raw_key(blob: str) -> bytes:
    try:
        data = base64.b64decode(blob.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    if not data.startswith(_BLOB_HEAD) or len(data) != len(_BLOB_HEAD) + _KEY_BYTES:
        raise InvalidArguments(f"The {_TYPE} key is damaged or cut off; copy the whole line of the .pub file again.")
    return data[len(_BLOB_HEAD) :]


def _printable(comment: str) -> str:
    # Comments come from strangers and are printed on terminals.
    return "".join(c for c in comment if c.isprintable()).strip()[:_MAX_COMMENT_CHARS]
