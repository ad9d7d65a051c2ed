"""What a call will cost, before it is sent: units counted from its arguments, times the price of a unit. Pure."""
