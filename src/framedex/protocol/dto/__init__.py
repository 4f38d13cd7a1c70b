"""Bodies and query strings of v2 as structs, one module a resource; names as in sdk-protocol appendix A."""
