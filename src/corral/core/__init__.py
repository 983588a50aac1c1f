"""Values and rules that need nothing else: errors, clock, secrets, the layout of a node's files."""
