"""The lab: drives of every kind, emulated, on a real kernel's real drivers, and the product in front of them."""
