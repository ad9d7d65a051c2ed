"""The ledger: one SQLite record a call, and its DataFrame."""
