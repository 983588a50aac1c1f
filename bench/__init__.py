"""Figures, ours beside a peer's: `./dev bench [NAME]`; each module here is one bench."""
