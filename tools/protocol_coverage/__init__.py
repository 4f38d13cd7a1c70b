"""docs/protocol-coverage.md: which endpoints of the SDK work, are partial or are refused, and how that is known.

`python -m tools.protocol_coverage` writes the page, `--check` fails when it is not current, and `--record FOLDER` first
takes over what a run of tests/protocol proved (see `make record`).
"""
