"""`make demo`: a data directory, a server on it, and the sample data in it, all as a user of the published SDK would.

Everything goes through the `framedex` command and the unmodified SDK; nothing here reaches into Framedex. Each step
looks first whether it was done, so that a second run starts at once and an interrupted one goes on.
"""
