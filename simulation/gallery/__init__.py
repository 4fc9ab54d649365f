"""The lecture figures: what each is computed from, what it teaches, and the numbers that it rests on."""
