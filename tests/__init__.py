"""Tests of Corral; see STYLE of tests in CONTRIBUTING.md."""
