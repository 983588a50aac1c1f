"""/nodes."""
