"""The `framedex` command."""
