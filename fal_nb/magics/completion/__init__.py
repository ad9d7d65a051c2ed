"""What Tab offers in ``%fal`` lines and ``%%fal`` cells, from what is on this machine already; never the network."""
