"""The only room with file control, ioctls and foreign memory. It sends what it is handed and decides nothing."""
