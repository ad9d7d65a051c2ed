"""Models as a catalogue lists them, and how they are searched; pure."""
