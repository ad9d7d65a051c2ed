"""Forms: an endpoint's schema as fields that a person fills in, and what was filled in as arguments."""
