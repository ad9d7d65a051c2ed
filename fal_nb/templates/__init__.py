"""Texts with variables in them, and mistakes in what people write. Pure: reads no notebook and sends nothing."""
