"""The life of virtual machines: what happens to them, step by step, as tasks."""
