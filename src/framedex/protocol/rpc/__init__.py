"""v1: one address, the verb in the body (`query_type`, `query_method`), a signature over the body alone."""
