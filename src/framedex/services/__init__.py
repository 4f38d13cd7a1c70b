"""Use cases. They see core and its ports; rights are checked here, and each write is one unit of work."""
