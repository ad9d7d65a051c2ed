"""Jobs: followers of requests, and the session that owns them."""
