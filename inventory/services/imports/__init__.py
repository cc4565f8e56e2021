"""Tables from elsewhere, read in: received whole, mapped, tried without effect, then taken over row by row."""
