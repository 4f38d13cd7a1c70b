"""The server's one secret: a file of 32 random bytes from which every other key is derived."""

from __future__ import annotations

import base64
import os
import secrets
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from framedex.core.errors import InvalidArguments, Unavailable

_KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = "fdxs1"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """The secret of one data directory. Its bytes are never printed, logged or backed up with the data."""

    _material: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self._material) != _KEY_BYTES:
            raise InvalidArguments(f"A secret key is {_KEY_BYTES} bytes; this one has {len(self._material)}.")

    @property
    def key_id(self) -> str:
        """12 hex digits that name this key without telling anything about it; each sealed text begins with them."""
        return self.derive("key id")[:6].hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, by HKDF-SHA256 (RFC 5869); another purpose gives unrelated bytes."""
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"framedex 1: " + purpose.encode()).derive(self._material)

    def seal(self, plaintext: bytes, *, bound_to: str) -> str:
        """Encrypts (AES-256-GCM, fresh nonce) to ASCII text `fdxs1.<key id>.<base64url>`.

        Args:
            plaintext: any bytes.
            bound_to: what the secret belongs to (an integration's id); it opens for nothing else.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        prefix = f"{_FORMAT}.{self.key_id}."
        sealed = self._cipher().encrypt(nonce, plaintext, _associated(prefix, bound_to))
        return prefix + base64.urlsafe_b64encode(nonce + sealed).decode("ascii")

    def unseal(self, sealed: str, *, bound_to: str) -> bytes:
        """What `seal` was given.

        Raises:
            Unavailable: sealed with another key, for something else, or damaged; the message says which of these.
        """
        version, key_id, body = _sealed_parts(sealed)
        if version != _FORMAT:
            raise Unavailable("This stored secret has an unknown format: a newer Framedex wrote it, or it is damaged.")
        if key_id != self.key_id:
            raise Unavailable(
                f"This secret was stored with the key {key_id[:12]!r}, but the server has {self.key_id!r}. Put the old "
                "secret key file back (backups leave it out), or enter the credentials again."
            )
        try:
            raw = base64.urlsafe_b64decode(body.encode("ascii"))
            associated = _associated(f"{version}.{key_id}.", bound_to)
            return self._cipher().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated)
        except (InvalidTag, ValueError):
            raise Unavailable(
                "This stored secret is damaged or belongs to something else; enter the credentials again."
            ) from None

    def _cipher(self) -> AESGCM:
        return AESGCM(self.derive("seal"))


def sealed_key_id(sealed: str) -> str:
    """The id of the key that a text was sealed with, so that a rotation can tell what is left to do."""
    return _sealed_parts(sealed)[1]


def load_secret_key(path: Path) -> SecretKey:
    """The key in a file that only its owner can read.

    Raises:
        InvalidArguments: absent, unreadable, open to others, or not 32 bytes; the message has the command that mends
            it. It names the path, so it is for the operator's terminal only.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            material = file.read(_KEY_BYTES + 1)
    except OSError as error:
        raise InvalidArguments(f"Cannot read the secret key file {path}: {error.strerror}.") from None
    if mode & 0o077:
        raise InvalidArguments(
            f"Others can read the secret key file {path} (mode {mode:04o}). Run: chmod 600 {shlex.quote(str(path))}"
        )
    if len(material) != _KEY_BYTES:
        raise InvalidArguments(
            f"The secret key file {path} must hold exactly {_KEY_BYTES} bytes. Restore it from where you keep it; only "
            f"for a new installation make one: openssl rand -out {shlex.quote(str(path))} {_KEY_BYTES}"
        )
    return SecretKey(material)


def load_or_create_secret_key(path: Path) -> SecretKey:
    """The key in a file, which is made (mode 0600) when it is absent; of several processes at once, all get one key.

    Raises:
        InvalidArguments: as `load_secret_key`, or the file cannot be made.
    """
    if not path.exists():
        try:
            _create(path)
        except OSError as error:
            raise InvalidArguments(f"Cannot make the secret key file {path}: {error.strerror}.") from None
    return load_secret_key(path)


def _create(path: Path) -> None:
    # Written whole and synced under another name, then linked: a link never replaces a file that another process made,
    # and a power cut leaves no half key.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        _sync_directory(path.parent)
    finally:
        temporary.unlink()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sealed_parts(sealed: str) -> tuple[str, str, str]:
    version, _, rest = sealed.partition(".")
    key_id, _, body = rest.partition(".")
    return version, key_id, body


def _associated(prefix: str, bound_to: str) -> bytes:
    return (prefix + bound_to).encode()
