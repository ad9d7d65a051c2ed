"""A server on loopback that speaks fal's protocol, for work without a key or a network."""
