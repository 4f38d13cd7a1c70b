"""The sample data of `make demo`: real files from pinned packages, with typed metadata measured from them.

`python -m tools.sample_data build --out DIR` writes `DIR/media/<kind>/...`, `DIR/manifest.json` (the documented import
dialect, `file://` addresses) and `DIR/plan.json` (what a manifest cannot say). Packages are read as archives: nothing
of them is installed or run.
"""
