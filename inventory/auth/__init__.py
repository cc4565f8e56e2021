"""Who is asking: agents by signed requests, people by sessions and scoped tokens; and what a browser is told to forbid."""
