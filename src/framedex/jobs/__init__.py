"""The engine of jobs: leases, threads, back-off, waiting for progress. What a job does is its handler's (services)."""
