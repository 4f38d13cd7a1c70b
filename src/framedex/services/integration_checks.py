"""Whether the server can reach what an integration names: said in advance, instead of by failing units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from framedex.core.errors import DomainError, InvalidArguments, NotFound, NotPermitted, Unavailable
from framedex.core.ids import IntegrationId
from framedex.core.ports.blobs import ExternalObjects, Finding, IntegrationConfig, IntegrationKind
from framedex.core.ports.catalog import Catalog
from framedex.services.addresses import OpenIntegration, shown_address

#: Objects listed, and of these read: enough to see that it works.
_LISTED = 1000
_READ = 3


#: Tries everything that a bucket is needed for, for web pages of one origin.
Examine = Callable[[IntegrationConfig, str], Iterator[Finding]]

_CLOUDS = frozenset({IntegrationKind.S3, IntegrationKind.GCS, IntegrationKind.AZURE})


class IntegrationCheckService:
    """Use cases of the operator who sets an integration up."""

    def __init__(
        self, catalog: Catalog, open_integration: OpenIntegration, examine: Examine, *, page_origin: str
    ) -> None:
        self._catalog = catalog
        self._open_integration = open_integration
        self._examine = examine
        self._page_origin = page_origin

    def check(self, integration_id: IntegrationId, urls: Sequence[str]) -> list[Finding]:
        """Tries to list and to read; `urls` are addresses to read in any case.

        Raises:
            NotFound: no such integration.
        """
        with self._catalog.read() as unit:
            integration = unit.people.integration(integration_id)
        if integration is None:
            raise NotFound(f"There is no integration {integration_id}; see `framedex integrations list`.")
        config = integration.config
        external = self._open_integration(config)
        if config.strict_client_only:
            return [Finding(True, "strict client-only: the server reads nothing of it"), *_named(external, urls)]
        if config.kind is IntegrationKind.LOCAL:
            return [*_listing(external, config), *(_read(external, config, url) for url in urls)]
        if config.kind in _CLOUDS:
            found = list(self._examine(config, self._page_origin))
            return [*found, *(_read(external, config, url) for url in urls)]
        origins = config.root.split(",") if config.kind is IntegrationKind.HTTP else []
        return [*(_origin(external, config, o) for o in origins), *(_read(external, config, url) for url in urls)]


def _named(external: ExternalObjects, urls: Sequence[str]) -> list[Finding]:
    steps = []
    for url in urls:
        try:
            external.check_address(url)
            steps.append(Finding(True, f"{shown_address(url)}: may be registered"))
        except InvalidArguments as error:
            steps.append(Finding(False, error.message, "name an address of this integration"))
    return steps


def _listing(external: ExternalObjects, config: IntegrationConfig) -> list[Finding]:
    try:
        found = [address for address, _ in islice(external.list_objects(""), _LISTED)]
    except DomainError as error:
        return [Finding(False, f"{config.root} cannot be listed: {error.message}", _mend(config, error))]
    if not found:
        mend = f"put files there, or let the server's user read them: {config.root}"
        return [Finding(False, f"{config.root} holds no file that the server can read", mend)]
    more = "at least " if len(found) == _LISTED else ""
    steps = [Finding(True, f"{config.root} holds {more}{len(found)} files")]
    return [*steps, *(_read(external, config, address) for address in found[:_READ])]


def _read(external: ExternalObjects, config: IntegrationConfig, url: str) -> Finding:
    try:
        source = external.open(url)
        try:
            size = source.size()
            source.read_at(0, 1)
        finally:
            source.close()
    except DomainError as error:
        return Finding(False, f"{shown_address(url)} cannot be read: {error.message}", _mend(config, error))
    return Finding(True, f"{shown_address(url)}: {size} bytes, can be read")


def _origin(external: ExternalObjects, config: IntegrationConfig, origin: str) -> Finding:
    """A server that refuses or lacks its front page is there all the same."""
    try:
        external.stat(f"{origin.strip().rstrip('/')}/")
    except NotFound:
        return Finding(True, f"{origin} answers")
    except DomainError as error:
        return Finding(False, f"{origin}: {error.message}", _mend(config, error))
    return Finding(True, f"{origin} answers")


def _mend(config: IntegrationConfig, error: DomainError) -> str:
    if config.kind is IntegrationKind.LOCAL:
        if isinstance(error, NotPermitted):
            return f"let the server's user read it, for example: chmod -R a+rX {config.root}"
        return f"make sure that {config.root} is there and mounted on the server's machine"
    if isinstance(error, Unavailable):
        return "make sure that the server's machine reaches the address (name, port, certificate, firewall)"
    return "check the address and its rights; for private networks add the integration with --allow-private-addresses"
