"""The HTTP face: what comes in is checked and handed to stages and ports, what they answer goes out. It decides nothing
else."""
