"""Guests: what virtual machines and containers have in common, and each kind in a package of its own."""
