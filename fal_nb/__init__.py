"""Run hosted generative models on fal.ai from a notebook."""
