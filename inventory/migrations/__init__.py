"""One set of migrations for both databases; run by `inventory.db.upgrade`."""
