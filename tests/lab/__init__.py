"""The laboratory: things that stand for real machines in tests."""
