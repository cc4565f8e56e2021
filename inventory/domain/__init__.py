"""The procedure: pure tables and rules. No database, no web, no clock; services apply what is decided here."""
