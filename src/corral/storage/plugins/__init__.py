"""The storage plugins, one file each; none imports another."""
