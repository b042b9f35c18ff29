"""What the stages need from the world, as Protocols. Implementations live in `adapters`; no port decides anything."""
