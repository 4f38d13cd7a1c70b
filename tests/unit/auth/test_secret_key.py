from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from framedex.auth.secret_key import SecretKey, load_or_create_secret_key, load_secret_key, sealed_key_id
from framedex.core.errors import InvalidArguments, Unavailable

KEY = SecretKey(bytes(range(32)))
OTHER = SecretKey(bytes(32))


def test_load_or_create_secret_key__makes_32_bytes_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    previous = os.umask(0)
    try:
        key = load_or_create_secret_key(path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == key._material
    assert len(key._material) == 32
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]


def test_load_or_create_secret_key__keeps_the_key_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    assert load_or_create_secret_key(path) == load_or_create_secret_key(path) == load_secret_key(path)


def test_load_or_create_secret_key__all_who_start_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_or_create_secret_key(path), range(32)))
    assert keys == [load_secret_key(path)] * 32
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]


def test_load_or_create_secret_key__says_where_it_cannot(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments, match="Cannot make"):
        load_or_create_secret_key(tmp_path / "absent" / "secret.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602])
def test_load_secret_key__refuses_a_file_that_is_open_to_others(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "my secret.key"
    path.write_bytes(bytes(32))
    path.chmod(mode)
    with pytest.raises(InvalidArguments) as caught:
        load_secret_key(path)
    assert f"chmod 600 '{path}'" in caught.value.message
    assert f"{mode:04o}" in caught.value.message


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_load_secret_key__accepts_what_only_the_owner_reads(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(bytes(32))
    path.chmod(mode)
    assert load_secret_key(path) == OTHER


@pytest.mark.parametrize("size", [0, 31, 33, 5000])
def test_load_secret_key__refuses_another_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    with pytest.raises(InvalidArguments, match="openssl rand"):
        load_secret_key(path)


def test_load_secret_key__refuses_an_absent_file_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments, match="Cannot read"):
        load_secret_key(tmp_path / "absent")
    with pytest.raises(InvalidArguments, match="Cannot read"):
        load_secret_key(tmp_path)


def test_derive__is_hkdf_sha256_of_rfc_5869() -> None:
    extracted = hmac.digest(bytes(32), KEY._material, "sha256")
    assert KEY.derive("urls") == hmac.digest(extracted, b"framedex 1: urls\x01", "sha256")


def test_derive__differs_by_purpose_and_key() -> None:
    assert len({KEY.derive("urls"), KEY.derive("cursors"), OTHER.derive("urls"), KEY._material}) == 4
    assert len(KEY.derive("urls")) == 32


def test_key_id__names_the_key_and_is_no_part_of_it() -> None:
    assert KEY.key_id == SecretKey(bytes(range(32))).key_id != OTHER.key_id
    assert len(KEY.key_id) == 12
    assert KEY.key_id not in KEY._material.hex()


def test_secret_key__is_not_printed() -> None:
    assert repr(KEY) == "SecretKey()"
    with pytest.raises(InvalidArguments, match="32 bytes"):
        SecretKey(b"short")


@pytest.mark.parametrize("plaintext", [b"", b"secret", bytes(100_000)])
def test_unseal__answers_what_was_sealed(plaintext: bytes) -> None:
    sealed = KEY.seal(plaintext, bound_to="integration-1")
    assert KEY.unseal(sealed, bound_to="integration-1") == plaintext


def test_seal__tells_nothing_and_never_repeats() -> None:
    first, second = (KEY.seal(b"AKIA-secret", bound_to="i") for _ in range(2))
    assert first != second
    assert first.startswith(f"fdxs1.{KEY.key_id}.")
    assert b"AKIA" not in base64.urlsafe_b64decode(first.split(".")[2])


def test_unseal__refuses_another_owner() -> None:
    with pytest.raises(Unavailable, match="belongs to something else"):
        KEY.unseal(KEY.seal(b"x", bound_to="integration-1"), bound_to="integration-2")


def test_unseal__names_both_keys_when_the_key_is_another() -> None:
    with pytest.raises(Unavailable) as caught:
        OTHER.unseal(KEY.seal(b"x", bound_to="i"), bound_to="i")
    assert KEY.key_id in caught.value.message
    assert OTHER.key_id in caught.value.message


def test_unseal__refuses_a_forged_key_id() -> None:
    with pytest.raises(Unavailable, match="damaged"):
        OTHER.unseal(KEY.seal(b"x", bound_to="i").replace(KEY.key_id, OTHER.key_id), bound_to="i")


@pytest.mark.parametrize("at", [20, 40, -1])
def test_unseal__refuses_a_changed_text(at: int) -> None:
    sealed = KEY.seal(b"xyz", bound_to="i")
    changed = sealed[:at] + ("B" if sealed[at] == "A" else "A") + (sealed[at + 1 :] if at != -1 else "")
    with pytest.raises(Unavailable):
        KEY.unseal(changed, bound_to="i")


@pytest.mark.parametrize("sealed", ["", ".", "fdxs2.a.b", "x", f"fdxs1.{KEY.key_id}.", f"fdxs1.{KEY.key_id}.é"])
def test_unseal__refuses_junk(sealed: str) -> None:
    with pytest.raises(Unavailable):
        KEY.unseal(sealed, bound_to="i")


def test_sealed_key_id__tells_which_key_it_was() -> None:
    assert sealed_key_id(KEY.seal(b"x", bound_to="i")) == KEY.key_id


def test_derive__is_stable_across_versions() -> None:
    # Links, cursors and stored credentials depend on it: a change here needs a rotation.
    assert hashlib.sha256(KEY.derive("seal") + KEY.key_id.encode()).hexdigest()[:16] == "58dc709aa6021355"
