"""What both edges (the SDK's protocol and the own API) need of HTTP, without knowing either."""
