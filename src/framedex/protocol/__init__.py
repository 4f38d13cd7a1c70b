"""The SDK's wire format and nothing else: v2 under `/v2/public` (`rest`), v1 under `/public` (`rpc`), signed addresses.

Nothing here decides anything: a handler turns a request into a call of a service, and the answer into the shape that
the SDK reads. Which calls work stands in `docs/protocol-coverage.md`.
"""
