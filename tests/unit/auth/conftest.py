"""The published SDK signs; nothing here signs by our own understanding of its format."""

from __future__ import annotations

import pytest
from encord.configs import SshConfig

from framedex.auth.openssh import generate_key_pair


def _sdk_client() -> SshConfig:
    return SshConfig.from_ssh_private_key(generate_key_pair().private_pem.decode(), domain="http://127.0.0.1:8420")


@pytest.fixture(scope="session")
def sdk() -> SshConfig:
    return _sdk_client()


@pytest.fixture(scope="session")
def other_sdk() -> SshConfig:
    return _sdk_client()
