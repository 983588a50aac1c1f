"""All configuration: small texts in one revisioned store, its engines, mirror and feed."""
