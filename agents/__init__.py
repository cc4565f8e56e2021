"""Host daemon: finds devices, takes approved orders, runs the sanitizer, signs what happened, loses nothing."""
