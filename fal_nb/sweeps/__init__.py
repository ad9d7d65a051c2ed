"""Sweeps: many calls over axes, planned before any is sent. The plan is pure: no network, no session, no pandas."""
