"""What runs the system: services for one machine, and what packages it for many."""
