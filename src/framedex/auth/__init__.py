"""Who sends a request: signatures, bearer tokens, signed links, page tokens and the secret key behind them.

Nothing here decides what anybody may do; that is `framedex.core.access`.
"""
