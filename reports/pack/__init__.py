"""Audit packs: one ZIP in one form, its contents, and its verification as a stream. Nothing here holds more than one member."""
