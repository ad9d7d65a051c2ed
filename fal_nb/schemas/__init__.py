"""What endpoints take: their OpenAPI documents read into plain types, and arguments checked against them. Pure."""
