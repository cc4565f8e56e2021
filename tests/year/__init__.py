"""A year of an organisation, through the public interface alone, and what must hold after every step of it."""
