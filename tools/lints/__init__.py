"""The project's own lints: rules that ruff, mypy and import-linter cannot express. Run `python -m tools.lints`."""
