"""Simulated endpoints, one family a file."""
