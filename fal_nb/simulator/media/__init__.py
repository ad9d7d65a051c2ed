"""Real files drawn from a prompt and a seed: pictures, films, speech. Pure: same input, same bytes."""
